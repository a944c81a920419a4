import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';

/**
 * The driver adapter of the Prisma CLI (migrate deploy, migrate status, db pull). Used by prisma.config.ts only; the
 * application has its own pool. It mends three faults of the 6.19 JavaScript engine path:
 *
 * 1. catalog columns of type name (OID 19) and "char" (OID 18) are unknown to the adapter ("Column type 'name' could
 *    not be deserialized"): they are reported as text;
 * 2. executeScript splits at every semicolon, which breaks functions and DO blocks: each script is sent whole;
 * 3. the shadow database of `migrate dev` and `migrate diff` would be the main one: it is a database of its own,
 *    made before and dropped afterwards.
 */
const TEXT_OID = 25;
const OIDS_READ_AS_TEXT = new Set([18, 19]);

class CatalogTypesPool extends pg.Pool {
  // pg's overloads cannot be expressed in an override; the adapter uses the promise form alone.
  override query = (async (...args: unknown[]) => {
    const client = await this.connect();
    try {
      return await (client.query as (...queryArgs: unknown[]) => Promise<pg.QueryResult>)(...args);
    } finally {
      client.release();
    }
  }) as pg.Pool['query'];

  override connect = (async () => {
    const client = await (pg.Pool.prototype.connect as () => Promise<pg.PoolClient>).call(this);
    const marked = client as pg.PoolClient & { reportsCatalogTypesAsText?: true };
    if (!marked.reportsCatalogTypesAsText) {
      marked.reportsCatalogTypesAsText = true;
      const query = client.query.bind(client) as (...args: unknown[]) => Promise<pg.QueryResult>;
      client.query = (async (...args: unknown[]) => {
        const result = await query(...args);
        for (const field of result?.fields ?? []) {
          if (OIDS_READ_AS_TEXT.has(field.dataTypeID)) field.dataTypeID = TEXT_OID;
        }
        return result;
      }) as typeof client.query;
    }
    return client;
  }) as pg.Pool['connect'];
}

type Adapter = Awaited<ReturnType<PrismaPg['connect']>>;

export class MigrationAdapter extends PrismaPg {
  readonly #connectionString: string;
  readonly #disposables: (() => Promise<void>)[];

  /** @param disposables what to do once the connection is closed (drops the shadow database). */
  constructor(connectionString: string, disposables: (() => Promise<void>)[] = []) {
    super(new CatalogTypesPool({ connectionString, max: 2, allowExitOnIdle: true }), {
      disposeExternalPool: true,
    });
    this.#connectionString = connectionString;
    this.#disposables = disposables;
  }

  override async connect(): Promise<Adapter> {
    const adapter = await super.connect();
    const pool = adapter.underlyingDriver();
    adapter.executeScript = async (script: string) => {
      await pool.query(script);
    };
    const dispose = adapter.dispose.bind(adapter);
    adapter.dispose = async () => {
      await dispose();
      for (const disposable of this.#disposables.splice(0)) await disposable();
    };
    return adapter;
  }

  override async connectToShadowDb(): Promise<Adapter> {
    const name = `prisma_shadow_${process.pid}_${Date.now()}`;
    const url = new URL(this.#connectionString);
    await runOnce(this.#connectionString, `CREATE DATABASE "${name}"`);
    url.pathname = `/${name}`;
    return new MigrationAdapter(url.toString(), [
      () => runOnce(this.#connectionString, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`),
    ]).connect();
  }
}

async function runOnce(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
