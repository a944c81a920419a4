import type { BenchUser, DataSet } from '../data/data-set.js';
import { timed } from '../measure.js';
import { loadPeer, peerVersion } from '../peers.js';
import { TOP } from '../truth.js';
import { Numbering, type Answer, type Contender, type QueryVector } from './contender.js';

interface UsearchIndex {
  add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
  search(vector: Float32Array, count: number, threads: number): { keys: BigUint64Array };
}

interface Usearch {
  Index: new (options: { metric: string; dimensions: number; quantization: string }) => UsearchIndex;
}

/** One HNSW graph per user in this process' memory: no server, no transaction, no isolation but the program's own. */
export class UsearchContender implements Contender {
  readonly name = `usearch ${peerVersion('usearch')}`;
  readonly note = 'one HNSW graph (float16, default settings) per user in this process, nothing on disk';
  readonly scope = 'owned';

  private constructor(
    private readonly indexes: Map<string, UsearchIndex>,
    private readonly numbering: Numbering,
    readonly loadSeconds: number,
  ) {}

  /** Builds the graphs of the given users only; those of the others would change nothing for them. */
  static async load(data: DataSet, users: readonly BenchUser[]): Promise<UsearchContender> {
    const { Index } = await loadPeer<Usearch>('usearch');
    const numbering = new Numbering();
    const indexes = new Map<string, UsearchIndex>(
      users.map((user) => [user.id, new Index({ metric: 'cos', dimensions: 1536, quantization: 'f16' })]),
    );
    const waiting = new Map<UsearchIndex, { keys: bigint[]; vectors: Float32Array[] }>();
    const flush = (index: UsearchIndex): void => {
      const batch = waiting.get(index);
      if (batch === undefined) return;
      const vectors = new Float32Array(batch.keys.length * 1536);
      for (const [place, vector] of batch.vectors.entries()) vectors.set(vector, place * 1536);
      index.add(BigUint64Array.from(batch.keys), vectors, 0);
      waiting.delete(index);
    };
    const { milliseconds } = await timed(() => {
      for (const { user, file } of data.files()) {
        const index = indexes.get(user.id);
        if (index === undefined) continue;
        const batch = waiting.get(index) ?? { keys: [], vectors: [] };
        waiting.set(index, batch);
        batch.keys.push(BigInt(numbering.add(file.id)));
        batch.vectors.push(file.vector);
        if (batch.keys.length === 1_000) flush(index);
      }
      for (const index of [...waiting.keys()]) flush(index);
    });
    return new UsearchContender(indexes, numbering, milliseconds / 1_000);
  }

  async search(user: BenchUser, { floats }: QueryVector): Promise<Answer> {
    const index = this.indexes.get(user.id)!;
    const { value, milliseconds } = await timed(() => index.search(floats, TOP, 1));
    return { ids: Array.from(value.keys, (key) => this.numbering.idOf(key)), milliseconds };
  }

  async close(): Promise<void> {
    this.indexes.clear();
  }
}
