import { parseArgs } from 'node:util';

export const PARTS = ['vectors', 'filters', 'words', 'http', 'isolation', 'costs'] as const;
export type Part = (typeof PARTS)[number];

export interface Options {
  quick: boolean;
  peers: boolean;
  documents: boolean;
  queries: number;
  parts: Part[];
  /** Folder of a kept cluster; undefined = a throw-away one. */
  data: string | undefined;
}

export const USAGE = `npm run bench:search -- [options]
  --quick              20,000 vectors, no peers, fewer queries: about two minutes
  --data <folder>      keep the loaded cluster there, or use the one that is there
  --parts <a,b>        only these: ${PARTS.join(', ')}
  --queries <n>        queries per size (100; quick: 40)
  --no-peers           leave out LanceDB, sqlite-vec and usearch
  --no-documents       leave out the documents' own design, whose HNSW index takes minutes to build`;

/** @throws Error that says what is wrong with the command line */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      quick: { type: 'boolean', default: false },
      peers: { type: 'boolean' },
      documents: { type: 'boolean' },
      data: { type: 'string' },
      parts: { type: 'string' },
      queries: { type: 'string' },
    },
  });
  const quick = values.quick;
  const parts = values.parts?.split(',') ?? [...PARTS];
  const unknown = parts.filter((part) => !(PARTS as readonly string[]).includes(part));
  if (unknown.length > 0) throw new Error(`there is no part ${unknown.join(', ')}`);
  const queries = Number(values.queries ?? (quick ? 40 : 100));
  if (!Number.isInteger(queries) || queries < 10) throw new Error('--queries is a whole number, at least 10');
  return {
    quick,
    peers: values.peers ?? !quick,
    documents: values.documents ?? !quick,
    queries,
    parts: parts as Part[],
    data: values.data,
  };
}
