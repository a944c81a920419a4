import type { BenchUser, DataSet } from '../data/data-set.js';
import { DIMENSIONS } from '../data/topics.js';
import { timed } from '../measure.js';
import { loadPeer, peerVersion } from '../peers.js';
import { TOP } from '../truth.js';
import { Numbering, type Answer, type Contender, type QueryVector } from './contender.js';

const BATCH = 10_000;

interface LanceQuery {
  distanceType(type: 'cosine'): LanceQuery;
  where(condition: string): LanceQuery;
  select(columns: string[]): LanceQuery;
  limit(count: number): LanceQuery;
  ef(count: number): LanceQuery;
  refineFactor(factor: number): LanceQuery;
  bypassVectorIndex(): LanceQuery;
  toArrow(): Promise<{ getChild(name: string): Iterable<number | bigint> | null }>;
}

interface LanceTable {
  add(rows: unknown): Promise<unknown>;
  createIndex(column: string, options?: { config: unknown }): Promise<void>;
  optimize(): Promise<unknown>;
  vectorSearch(vector: Float32Array): LanceQuery;
}

interface Lance {
  connect(folder: string): Promise<{
    createTable(name: string, rows: unknown): Promise<LanceTable>;
    close(): void;
  }>;
  Index: { hnswSq(options: object): unknown; bitmap(): unknown };
}

/** What of apache-arrow, which LanceDB brings along, makes a table without copying. */
interface Arrow {
  Field: new (name: string, type: object, nullable: boolean) => object;
  Int32: new () => object;
  Float32: new () => object;
  FixedSizeList: new (size: number, field: object) => object;
  Struct: new (fields: object[]) => object;
  Schema: new (fields: object[]) => object;
  Table: new (schema: object, batches: object[]) => object;
  RecordBatch: new (schema: object, data: object) => object;
  makeData(options: object): object;
}

interface LanceRow {
  id: number;
  owner: number;
  vector: Float32Array;
}

/** Numbers as int32 and vectors as lists of float32; LanceDB's own conversion makes float64 of the numbers. */
function arrowTable(arrow: Arrow, rows: readonly LanceRow[]): object {
  const floats = new Float32Array(rows.length * DIMENSIONS);
  for (const [place, { vector }] of rows.entries()) floats.set(vector, place * DIMENSIONS);
  const integer = new arrow.Int32();
  const list = new arrow.FixedSizeList(DIMENSIONS, new arrow.Field('item', new arrow.Float32(), true));
  const fields = [
    new arrow.Field('id', integer, false),
    new arrow.Field('owner', integer, false),
    new arrow.Field('vector', list, false),
  ];
  const integers = (values: number[]): object =>
    arrow.makeData({ type: integer, data: Int32Array.from(values) });
  const vectors = arrow.makeData({
    type: list,
    length: rows.length,
    nullCount: 0,
    child: arrow.makeData({ type: new arrow.Float32(), data: floats }),
  });
  const children = [integers(rows.map((row) => row.id)), integers(rows.map((row) => row.owner)), vectors];
  const data = arrow.makeData({
    type: new arrow.Struct(fields),
    length: rows.length,
    nullCount: 0,
    children,
  });
  const schema = new arrow.Schema(fields);
  return new arrow.Table(schema, [new arrow.RecordBatch(schema, data)]);
}

/** One LanceDB table on local disk, searched through its graph and without it. */
export class LanceVectors {
  private constructor(
    private readonly table: LanceTable,
    private readonly numbering: Numbering,
    readonly loadSeconds: number,
    readonly buildSeconds: number,
    private readonly closeConnection: () => void,
  ) {}

  static async load(data: DataSet, folder: string): Promise<LanceVectors> {
    const lance = await loadPeer<Lance>('@lancedb/lancedb');
    const arrow = await loadPeer<Arrow>('apache-arrow');
    const connection = await lance.connect(folder);
    const numbering = new Numbering();
    let table: LanceTable | undefined;
    let rows: LanceRow[] = [];
    const flush = async (): Promise<void> => {
      if (rows.length === 0) return;
      const batch = arrowTable(arrow, rows);
      if (table === undefined) table = await connection.createTable('vectors', batch);
      else await table.add(batch);
      rows = [];
    };
    const load = await timed(async () => {
      for (const { user, file } of data.files()) {
        rows.push({ id: numbering.add(file.id), owner: user.number, vector: file.vector });
        if (rows.length === BATCH) await flush();
      }
      await flush();
      await table!.optimize();
    });
    const build = await timed(async () => {
      await table!.createIndex('owner', { config: lance.Index.bitmap() });
      // One partition: the graph of all, as in the other systems; more partitions search a part of the data.
      await table!.createIndex('vector', {
        config: lance.Index.hnswSq({ distanceType: 'cosine', numPartitions: 1 }),
      });
    });
    return new LanceVectors(table!, numbering, load.milliseconds / 1_000, build.milliseconds / 1_000, () =>
      connection.close(),
    );
  }

  contenders(): Contender[] {
    const name = `LanceDB ${peerVersion('@lancedb/lancedb')}`;
    const where = 'in this process, local disk, filtered by owner before the search';
    return [
      this.contender(`${name} HNSW`, `${where}, HNSW_SQ with ef 100, 5 x 20 re-scored`, (query) =>
        query.ef(100).refineFactor(5),
      ),
      this.contender(`${name} flat`, `${where}, float32, exact`, (query) => query.bypassVectorIndex()),
    ];
  }

  close(): void {
    this.closeConnection();
  }

  private contender(name: string, note: string, plan: (query: LanceQuery) => LanceQuery): Contender {
    const search = async (user: BenchUser, { floats }: QueryVector): Promise<Answer> => {
      const { value, milliseconds } = await timed(() =>
        plan(this.table.vectorSearch(floats).distanceType('cosine'))
          .where(`owner = ${user.number}`)
          .select(['id', '_distance'])
          .limit(TOP)
          .toArrow(),
      );
      return { ids: [...value.getChild('id')!].map((id) => this.numbering.idOf(id)), milliseconds };
    };
    return { name, note, scope: 'owned', search, close: async () => undefined };
  }
}
