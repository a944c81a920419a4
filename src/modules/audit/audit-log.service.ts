import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../infrastructure/database/database.js';
import { CursorCodec } from '../../infrastructure/http/cursor.js';
import type { PageQuery } from '../../infrastructure/http/pagination.dto.js';
import type { AuditLogPage } from './dto/audit.dto.js';

const CURSOR_KIND = 'audit-logs';

/** Reads the audit log. */
@Injectable()
export class AuditLogService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
  ) {}

  /** A user's own events, newest first, by keyset. */
  async list(userId: string, page: PageQuery): Promise<AuditLogPage> {
    const after = page.cursor
      ? this.cursors.decode<{ at: string; id: string }>(CURSOR_KIND, userId, page.cursor)
      : null;
    const rows = await this.database.run((tx) =>
      tx.auditLog.findMany({
        where: {
          userId,
          ...(after
            ? {
                OR: [
                  { occurredAt: { lt: new Date(after.at) } },
                  { occurredAt: new Date(after.at), id: { lt: after.id } },
                ],
              }
            : {}),
        },
        orderBy: [{ occurredAt: 'desc' }, { id: 'desc' }],
        take: page.limit + 1,
      }),
    );
    const items = rows.slice(0, page.limit);
    const last = items.at(-1);
    return {
      items: items.map((row) => ({
        id: row.id,
        eventType: row.eventType,
        eventCategory: row.eventCategory,
        actorType: row.actorType,
        action: row.action,
        targetType: row.targetType,
        targetId: row.targetId,
        description: row.description,
        ipAddress: row.ipAddress,
        requestId: row.requestId,
        oldValues: row.oldValues,
        newValues: row.newValues,
        riskLevel: row.riskLevel,
        occurredAt: row.occurredAt.toISOString(),
      })),
      nextCursor:
        rows.length > page.limit && last
          ? this.cursors.encode(CURSOR_KIND, userId, { at: last.occurredAt.toISOString(), id: last.id })
          : null,
    };
  }
}
