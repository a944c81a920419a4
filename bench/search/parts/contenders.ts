import { measuredUsers, sizesOf, type Bench } from '../bench.js';
import type { Contender } from '../contenders/contender.js';
import { DocumentsContender, prepareDocuments } from '../contenders/documents.js';
import { LanceVectors } from '../contenders/lancedb.js';
import { PlainContender, ProductContender } from '../contenders/postgres.js';
import { SqliteVectors } from '../contenders/sqlite-vec.js';
import { UsearchContender } from '../contenders/usearch.js';
import { installPeers } from '../peers.js';
import { round } from '../report.js';

export interface Gathered {
  contenders: Contender[];
  /** What could not be measured, and why. */
  missing: string[];
  close(): Promise<void>;
}

/** Makes everything ready that the product is compared with. A peer that does not run here is named, not hidden. */
export async function gatherContenders(
  bench: Bench,
  options: { peers: boolean; documents: boolean },
): Promise<Gathered> {
  const { adminUrl, runtimeUrl } = bench;
  const contenders: Contender[] = [
    await ProductContender.withRls(runtimeUrl),
    await ProductContender.withoutRls(adminUrl),
    await PlainContender.connect(adminUrl),
  ];
  const closers: (() => void)[] = [];
  const missing: string[] = [];
  if (options.documents) {
    for (const index of ['ivfflat', 'hnsw'] as const) {
      const costs = await prepareDocuments(adminUrl, index);
      if (costs) console.log(`documents ${index}: index built in ${round(costs.buildSeconds)} s`);
      contenders.push(await DocumentsContender.connect(runtimeUrl, index, 'index'));
      contenders.push(await DocumentsContender.connect(runtimeUrl, index, 'planner'));
    }
  }
  if (options.peers) await addPeers(bench, contenders, missing, closers);
  return {
    contenders,
    missing,
    close: async () => {
      for (const contender of contenders) await contender.close();
      for (const closer of closers) closer();
    },
  };
}

async function addPeers(
  bench: Bench,
  contenders: Contender[],
  missing: string[],
  closers: (() => void)[],
): Promise<void> {
  const fault = await installPeers();
  if (fault !== null) {
    missing.push(`LanceDB, sqlite-vec and usearch could not be installed (${fault}).`);
    return;
  }
  const attempt = async (name: string, load: () => Promise<void>): Promise<void> => {
    try {
      await load();
    } catch (error) {
      missing.push(`${name} does not run here (${(error as Error).message.split('\n')[0]}).`);
    }
  };
  await attempt('LanceDB', async () => {
    const lance = await LanceVectors.load(bench.data, `${bench.scratch}/lance`);
    console.log(
      `LanceDB: loaded in ${round(lance.loadSeconds)} s, indexed in ${round(lance.buildSeconds)} s`,
    );
    contenders.push(...lance.contenders());
    closers.push(() => lance.close());
  });
  await attempt('sqlite-vec', async () => {
    const sqlite = await SqliteVectors.load(bench.data, bench.scratch);
    console.log(`sqlite-vec: loaded in ${round(sqlite.loadSeconds)} s`);
    contenders.push(...sqlite.contenders());
    closers.push(() => sqlite.close());
  });
  await attempt('usearch', async () => {
    const users = sizesOf(bench).flatMap((size) => measuredUsers(bench, size));
    const usearch = await UsearchContender.load(bench.data, users);
    console.log(`usearch: graphs of ${users.length} users built in ${round(usearch.loadSeconds)} s`);
    contenders.push(usearch);
  });
}
