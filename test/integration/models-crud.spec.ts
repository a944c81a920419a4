import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../src/infrastructure/context/actor.js';
import type { Database, Transaction } from '../../src/infrastructure/database/database.js';
import { sqlStateOf } from '../../src/infrastructure/database/sql-state.js';
import { uniqueHash } from '../factories/rows.js';
import { createUser } from '../factories/users.js';
import { connectTestDatabase } from '../harness/database.js';

type Values = Record<string, unknown>;
/** What the cases need of a Prisma delegate, whatever its model. */
interface Delegate {
  create(query: { data: Values }): Promise<Values>;
  findFirst(query: { where: Values }): Promise<Values | null>;
  updateMany(query: { where: Values; data: Values }): Promise<{ count: number }>;
  deleteMany(query: { where: Values }): Promise<{ count: number }>;
}
interface Case {
  actor: 'user' | 'admin' | 'system';
  /** Fields that find the row again. */
  key: string[];
  data(tx: Transaction): Promise<Values>;
  /** A change, or null where nobody may change rows of this model. */
  change: Values | null;
  deletable: boolean;
}

const later = (): Date => new Date(Date.now() + 3_600_000);

describe('002-10 CRUD: every model through Database.run', () => {
  let database: Database;
  let userId: string;
  const actors = (): Record<Case['actor'], Actor> => ({
    user: { kind: 'user', userId },
    admin: { kind: 'admin', userId },
    system: { kind: 'system', userId: null, place: 'maintenance' },
  });
  beforeAll(async () => {
    database = await connectTestDatabase();
    userId = (await createUser(database)).id;
  });
  afterAll(() => database.end());
  const mediaData = (): Values & { id: string } => {
    const id = uuidv7();
    return {
      ...{
        userId,
        id,
        filename: `${id}.mp4`,
        originalFilename: 'clip.mp4',
        title: 'clip',
        fileType: 'video',
        mimeType: 'video/mp4',
      },
      ...{
        fileSizeBytes: 1000n,
        fileHash: uniqueHash(),
        storageProvider: 'local',
        s3Bucket: 'media',
        s3Key: `${userId}/${id}`,
      },
    };
  };
  const addMedia = async (tx: Transaction, values: Values = {}): Promise<string> => {
    const data = { ...mediaData(), ...values };
    await (tx.mediaFile as unknown as Delegate).create({ data });
    return data.id;
  };
  const own = (): Values => ({ userId, id: uuidv7() });
  const ofMedia = async (tx: Transaction): Promise<Values> => ({ ...own(), mediaFileId: await addMedia(tx) });
  const times = { startTimeSeconds: 1, endTimeSeconds: 2.5 };
  const byId = { key: ['userId', 'id'], deletable: true };
  const asUser = { ...byId, actor: 'user' as const };

  const cases: Record<string, Case> = {
    user: {
      ...{ actor: 'system', key: ['id'], change: { displayName: 'Ada' }, deletable: true },
      data: async () => {
        const id = uuidv7();
        return { id, email: `${id}@example.test`, settings: { theme: 'dark' } };
      },
    },
    authIdentity: {
      ...{ ...byId, actor: 'system', change: { lastUsedAt: later() } },
      data: async () => ({ ...own(), provider: 'firebase', subject: uuidv7() }),
    },
    refreshToken: {
      ...{ ...byId, actor: 'system', change: { revokedAt: later() } },
      data: async () => ({ ...own(), familyId: uuidv7(), tokenHash: uniqueHash(), expiresAt: later() }),
    },
    apiKey: {
      ...{ ...asUser, change: { revokedAt: later() }, deletable: false },
      data: async () => ({
        ...own(),
        name: 'key',
        prefix: 'ams_x',
        keyHash: uniqueHash(),
        scopes: ['search', 'media:read'],
      }),
    },
    uploadReservation: {
      ...{ ...asUser, change: { storageKey: 'where/it/lies' } },
      data: async () => ({ ...own(), billingPeriodStart: new Date(), expiresAt: later() }),
    },
    mediaFile: {
      ...asUser,
      change: { title: 'new title', durationSeconds: 12.345 },
      data: async () => mediaData(),
    },
    analysis: {
      ...asUser,
      change: { summary: 'a summary' },
      data: async (tx) => ({ ...(await ofMedia(tx)), version: 1, kind: 'video' }),
    },
    keyframe: {
      ...{ ...asUser, change: { description: 'a door' } },
      data: async (tx) => ({
        ...(await ofMedia(tx)),
        timestampSeconds: 1.5,
        storageKey: 'k',
        width: 1,
        height: 1,
        sizeBytes: 5n,
      }),
    },
    transcriptSegment: {
      ...{ ...asUser, change: { text: 'hello again' } },
      data: async (tx) => ({ ...(await ofMedia(tx)), ...times, text: 'hello', source: 'speech' }),
    },
    clip: {
      ...asUser,
      change: { status: 'scored' },
      data: async (tx) => ({ ...(await ofMedia(tx)), ...times, score: 0.75, rank: 1 }),
    },
    tag: {
      ...asUser,
      change: { description: 'what it is' },
      data: async () => ({ ...own(), name: `tag ${uuidv7()}` }),
    },
    mediaTag: {
      ...{
        actor: 'user',
        key: ['userId', 'mediaFileId', 'tagId'],
        change: { source: 'ai' },
        deletable: true,
      },
      data: async (tx) => {
        const tag = await tx.tag.create({ data: { userId, id: uuidv7(), name: uuidv7() } });
        return { userId, mediaFileId: await addMedia(tx), tagId: tag.id };
      },
    },
    category: {
      ...asUser,
      change: { description: 'mine' },
      data: async () => ({ ...own(), name: `category ${uuidv7()}` }),
    },
    mediaCategory: {
      ...{
        actor: 'user',
        key: ['userId', 'mediaFileId', 'categoryId'],
        change: { source: 'ai' },
        deletable: true,
      },
      data: async (tx) => {
        const category = await tx.category.findFirstOrThrow({ where: { userId: null } });
        return { userId, mediaFileId: await addMedia(tx), categoryId: category.id };
      },
    },
    mediaLabel: {
      ...{
        actor: 'user',
        key: ['userId', 'mediaFileId', 'label'],
        change: { confidence: 0.5 },
        deletable: true,
      },
      data: async (tx) => ({
        userId,
        mediaFileId: await addMedia(tx),
        label: 'dog',
        confidence: 0.25,
        kind: 'object',
      }),
    },
    processingJob: {
      ...{ ...asUser, change: { step: 'reading', estimatedCost: '0.0000001234' } },
      data: async (tx) => ({
        ...(await ofMedia(tx)),
        jobType: 'thumbnail',
        subscriptionTier: 'free',
        jobConfig: { size: 320 },
      }),
    },
    searchRecord: {
      ...asUser,
      change: { resultsCount: 3 },
      data: async () => ({ ...own(), queryText: 'red door', searchedAt: new Date() }),
    },
    searchClick: {
      ...{ ...asUser, change: { position: 2 } },
      data: async (tx) => {
        const search = await tx.searchRecord.create({
          data: { userId, id: uuidv7(), queryText: 'door', searchedAt: new Date() },
        });
        return { ...(await ofMedia(tx)), searchId: search.id, searchedAt: search.searchedAt, position: 1 };
      },
    },
    costEntry: {
      ...{ ...asUser, change: null, deletable: false },
      data: async () => ({
        ...own(),
        serviceName: 'gemini',
        operationType: 'test',
        amount: '0.1234567891',
        billingPeriodMonth: 1,
        billingPeriodYear: 2026,
      }),
    },
    auditLog: {
      ...{ ...asUser, change: null, deletable: false },
      data: async () => ({
        ...own(),
        eventType: 'test',
        eventCategory: 'security',
        action: 'test',
        ipAddress: '192.0.2.7',
      }),
    },
    idempotencyKey: {
      ...{
        actor: 'user',
        key: ['userId', 'key'],
        change: { status: 'done', responseStatus: 201, responseBody: '{"ok":true}' },
        deletable: true,
      },
      data: async () => ({
        userId,
        key: uuidv7(),
        method: 'POST',
        path: '/v1/media',
        requestHash: uniqueHash(),
      }),
    },
    embeddingModel: {
      ...{ actor: 'admin', key: ['provider', 'name'], change: { state: 'retired' }, deletable: false },
      data: async () => ({ provider: 'test', name: uuidv7(), dimensions: 1024 }),
    },
    costService: {
      ...{ actor: 'admin', key: ['name'], change: { description: 'changed' }, deletable: false },
      data: async () => ({ name: uuidv7(), description: 'a service' }),
    },
    stripeEvent: {
      ...{ actor: 'system', key: ['id'], change: { status: 'applied', attempts: 1 }, deletable: true },
      data: async () => ({
        id: `evt_${uuidv7()}`,
        type: 'invoice.paid',
        payload: { amount: 5 },
        eventCreatedAt: new Date(),
      }),
    },
  };

  it.each(Object.entries(cases))(
    '002-10 CRUD: %s',
    async (model, { actor, key, data, change, deletable }) => {
      await database.runAs(actors()[actor], async (tx) => {
        const delegate = (tx as unknown as Record<string, Delegate>)[model] as Delegate;
        const values = await data(tx);
        // auth_identities gives its secret to nobody: what comes back are the columns that may be read.
        const where = Object.fromEntries(key.map((field) => [field, values[field]]));
        if (model === 'authIdentity') {
          await tx.authIdentity.createMany({ data: [values as never] });
          expect(await tx.authIdentity.findFirst({ where, select: { subject: true } })).toEqual({
            subject: values['subject'],
          });
        } else {
          expect(comparable(await delegate.create({ data: values }), values)).toEqual(
            comparable(values, values),
          );
          expect(comparable(await delegate.findFirst({ where }), values)).toEqual(comparable(values, values));
        }
        if (change) {
          expect(await delegate.updateMany({ where, data: change })).toEqual({ count: 1 });
          if (model !== 'authIdentity')
            expect(comparable(await delegate.findFirst({ where }), change)).toEqual(
              comparable(change, change),
            );
        }
        if (deletable) {
          expect(await delegate.deleteMany({ where })).toEqual({ count: 1 });
          if (model !== 'authIdentity') expect(await delegate.findFirst({ where })).toBeNull();
        }
      });
    },
  );

  it.each(Object.entries(cases).filter(([, { change, deletable }]) => change === null && !deletable))(
    '002-10 CRUD: %s is written once: neither changed nor deleted',
    async (model, { actor, data }) => {
      for (const method of ['updateMany', 'deleteMany'] as const) {
        const error = await database
          .runAs(actors()[actor], async (tx) => {
            const delegate = (tx as unknown as Record<string, Delegate>)[model] as Delegate;
            const { id } = await delegate.create({ data: await data(tx) });
            return method === 'updateMany'
              ? delegate.updateMany({ where: { id }, data: { id } })
              : delegate.deleteMany({ where: { id } });
          })
          .catch((reason: unknown) => reason);
        expect(sqlStateOf(error)).toBe('42501');
      }
    },
  );
});

/** The fields of `wanted` in a form that can be compared: decimals and numbers as numbers, times in ISO form. */
function comparable(row: Values | null, wanted: Values): Values {
  return Object.fromEntries(
    Object.keys(wanted).map((field) => {
      const value = row?.[field];
      if (value instanceof Date) return [field, value.toISOString()];
      const isDecimal = typeof value === 'object' && value !== null && 'toFixed' in value;
      return [
        field,
        isDecimal || typeof value === 'number' || (typeof value === 'string' && /^\d+\.\d+$/.test(value))
          ? Number(value)
          : value,
      ];
    }),
  );
}
