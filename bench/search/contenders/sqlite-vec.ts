import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { BenchUser, DataSet } from '../data/data-set.js';
import { timed } from '../measure.js';
import { loadPeer, peerVersion } from '../peers.js';
import { TOP } from '../truth.js';
import { Numbering, type Answer, type Contender, type QueryVector } from './contender.js';

/** As many as the product's first cut. */
const CANDIDATES = 400;

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

/** One SQLite file for both ways of searching it: exact, and bits with re-scoring. In this process, read from its cache. */
export class SqliteVectors {
  private constructor(
    private readonly database: DatabaseSync,
    private readonly numbering: Numbering,
    readonly loadSeconds: number,
  ) {}

  static async load(data: DataSet, folder: string): Promise<SqliteVectors> {
    const { getLoadablePath } = await loadPeer<{ getLoadablePath(): string }>('sqlite-vec');
    const database = new DatabaseSync(join(folder, 'vectors.sqlite'), { allowExtension: true });
    database.loadExtension(getLoadablePath());
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -4000000;
      PRAGMA mmap_size = 8000000000;
      CREATE VIRTUAL TABLE exact USING vec0(owner INTEGER PARTITION KEY, embedding float[1536] distance_metric=cosine);
      CREATE VIRTUAL TABLE codes USING vec0(owner INTEGER PARTITION KEY, code bit[1536]);
      CREATE TABLE vectors (id INTEGER PRIMARY KEY, embedding BLOB NOT NULL)`);
    const numbering = new Numbering();
    const { milliseconds } = await timed(() => {
      const exact = database.prepare('INSERT INTO exact (rowid, owner, embedding) VALUES (?, ?, ?)');
      const code = database.prepare(
        'INSERT INTO codes (rowid, owner, code) VALUES (?, ?, vec_quantize_binary(?))',
      );
      const vector = database.prepare('INSERT INTO vectors (id, embedding) VALUES (?, ?)');
      database.exec('BEGIN');
      for (const { user, file } of data.files()) {
        const id = BigInt(numbering.add(file.id));
        const bytes = bytesOf(file.vector);
        exact.run(id, BigInt(user.number), bytes);
        code.run(id, BigInt(user.number), bytes);
        vector.run(id, bytes);
      }
      database.exec('COMMIT');
    });
    return new SqliteVectors(database, numbering, milliseconds / 1_000);
  }

  contenders(): Contender[] {
    const name = `sqlite-vec ${peerVersion('sqlite-vec')}`;
    const where = 'in this process through node:sqlite, owner as partition key';
    return [
      this.contender(
        `${name} exact`,
        `${where}, float32, exact`,
        `SELECT rowid AS id FROM exact WHERE embedding MATCH :vector AND owner = :owner AND k = ${TOP} ORDER BY distance`,
      ),
      this.contender(
        `${name} bits`,
        `${where}, bit codes, ${CANDIDATES} nearest re-scored with float32`,
        `WITH candidates AS MATERIALIZED (
           SELECT rowid AS id FROM codes
           WHERE code MATCH vec_quantize_binary(:vector) AND owner = :owner AND k = ${CANDIDATES}
         )
         SELECT v.id FROM candidates c JOIN vectors v ON v.id = c.id
         ORDER BY vec_distance_cosine(v.embedding, :vector) LIMIT ${TOP}`,
      ),
    ];
  }

  close(): void {
    this.database.close();
  }

  private contender(name: string, note: string, sql: string): Contender {
    const statement: StatementSync = this.database.prepare(sql);
    const search = async (user: BenchUser, { floats }: QueryVector): Promise<Answer> => {
      const { value, milliseconds } = await timed(() =>
        statement.all({ vector: bytesOf(floats), owner: BigInt(user.number) }),
      );
      return { ids: value.map((row) => this.numbering.idOf(row['id'] as number)), milliseconds };
    };
    return { name, note, scope: 'owned', search, close: async () => undefined };
  }
}
