import { measuredUsers, questionsOf, sizesOf, type Bench, type Question } from '../bench.js';
import { ONE_TRIP } from '../http/bare-server.js';
import { ProductServer } from '../http/product-server.js';
import { closedLoop, interleave, Timings } from '../measure.js';
import { ProductSearch } from '../product.js';
import { round, type Row } from '../report.js';
import { TOP } from '../truth.js';

const GOAL_MS = 3;
const WORKERS = 8;
/** Per size: what V8 has not compiled yet takes twice as long. */
const WARM_UP = 500;

interface SizeRun {
  size: number;
  questions: Question[];
  /** Number of the first of these questions among all that the server knows. */
  first: number;
}

/** The SQL alone and the whole HTTP request, one at a time and eight at a time. */
export async function measureHttp(bench: Bench): Promise<void> {
  const { report, options } = bench;
  const runs: SizeRun[] = [];
  for (const size of sizesOf(bench)) {
    const first = runs.reduce((sum, run) => sum + run.questions.length, 0);
    runs.push({ size, questions: questionsOf(bench, size), first });
  }
  const users = sizesOf(bench).flatMap((size) => measuredUsers(bench, size));
  const vectors = runs.flatMap((run) => run.questions.map(({ vector }) => vector.floats));
  const server = await ProductServer.start(bench, users, vectors);
  const connections = await Promise.all(
    Array.from({ length: WORKERS }, () => ProductSearch.connect(bench.runtimeUrl)),
  );
  report.heading(
    'The whole HTTP request',
    `\`POST /v1/search\`, semantic, ${TOP} files, against the product in a process of its own on the same machine, beside ` +
      `the SQL through \`pg\`; milliseconds p50 / p95 of ${options.queries} requests one at a time (both in turn) and ` +
      `${2 * options.queries} by ${WORKERS} at a time, after ${WARM_UP} each to warm up. In the request: HTTP and JSON on both sides, access token and ` +
      'session (the account is looked up once a second: ADR 12), rate limit in memory, plan and budget checks, all transactions (search, page, moments, counter, ' +
      'cost and history rows). Not in it: the embedding provider; the vector is given by an embedder in memory. ' +
      '"Transaction" is BEGIN to COMMIT through `pg`, with role, settings and the choice of the plan. "Its statements" is ' +
      'the time of the request in which PostgreSQL had something to do or to send: the search, what ' +
      'the page shows, the charge, the cost and history rows. "The rest" is all else on both sides of the connection. ' +
      '"Bare" is the floor: a server of Node alone, without framework, authentication, limits or mapping, that sends the ' +
      'same statements in the same two round trips and answers with a text that is ready; "one trip" is the same with all ' +
      'statements in one round trip, as if the answer were known beforehand.',
  );
  try {
    for (let number = 0; number < WARM_UP; number++) {
      for (const { questions, first } of runs) {
        const place = number % questions.length;
        await server.search(questions[place]!.user, first + place, TOP);
      }
    }
    await server.startBare(
      runs.flatMap(({ questions, first }) =>
        questions.map(({ user }, place) => ({ user, number: first + place })),
      ),
      TOP,
    );
    const empty = new Timings();
    for (let number = 0; number < options.queries; number++) empty.add(await server.health());
    report.text(
      `A route of the same server that does nothing, \`GET /health/live\`: ${round(empty.p50)} / ${round(empty.p95)}.`,
    );
    const rows: Row[] = [];
    for (const run of runs) rows.push(await measureSize(bench, run, server, connections));
    report.table(rows);
  } finally {
    for (const connection of connections) await connection.close();
    await server.stop();
  }
}

async function measureSize(
  bench: Bench,
  { size, questions, first }: SizeRun,
  server: ProductServer,
  connections: ProductSearch[],
): Promise<Row> {
  const alone = {
    statement: new Timings(),
    transaction: new Timings(),
    http: new Timings(),
    bare: new Timings(),
    oneTrip: new Timings(),
    allStatements: new Timings(),
    rest: new Timings(),
  };
  const plans = new Set<string>();
  const askSql = async (connection: ProductSearch, { user, vector }: Question) =>
    connection.search(user.id, { vector: vector.halfvec });
  await interleave(
    ['sql', 'http', 'bare', 'oneTrip'] as const,
    questions.length,
    3,
    async (kind, number, counts) => {
      const question = questions[number]!;
      if (kind === 'sql') {
        const { statementMs, transactionMs } = await askSql(connections[0]!, question);
        if (!counts) return;
        alone.statement.add(statementMs);
        alone.transaction.add(transactionMs);
      } else if (kind === 'bare' || kind === 'oneTrip') {
        const path = kind === 'oneTrip' ? ONE_TRIP : undefined;
        const milliseconds = await server.searchBare(question.user, first + number, TOP, path);
        if (counts) alone[kind].add(milliseconds);
      } else {
        await server.statementMilliseconds();
        const { answer, milliseconds } = await server.search(question.user, first + number, TOP);
        if (answer.items.length !== TOP)
          throw new Error(`a page of ${answer.items.length} files instead of ${TOP}`);
        plans.add(answer.plan);
        const statementMs = await server.statementMilliseconds();
        if (!counts) return;
        alone.http.add(milliseconds);
        alone.allStatements.add(statementMs);
        alone.rest.add(milliseconds - statementMs);
      }
    },
  );

  const count = 2 * questions.length;
  const busy = { transaction: new Timings(), http: new Timings() };
  await closedLoop(WORKERS, count, async (number, worker) => {
    const { transactionMs } = await askSql(connections[worker]!, questions[number % questions.length]!);
    busy.transaction.add(transactionMs);
  });
  const started = performance.now();
  await closedLoop(WORKERS, count, async (number) => {
    const place = number % questions.length;
    busy.http.add((await server.search(questions[place]!.user, first + place, TOP)).milliseconds);
  });
  const seconds = (performance.now() - started) / 1_000;

  const added = alone.http.p50 - alone.statement.p50;
  const user = `user of ${size.toLocaleString('en')}`;
  // "The SQL" is read both ways: as the one statement that finds the files, and as all that the request asks.
  bench.report.goal(`${user}: HTTP adds to the search statement, p50`, added, GOAL_MS, ' ms');
  bench.report.goal(`${user}: HTTP adds to its own statements, p50`, alone.rest.p50, GOAL_MS, ' ms');
  const both = ({ p50, p95 }: Timings): string => `${round(p50)} / ${round(p95)}`;
  return {
    user: size,
    plan: [...plans].join(', '),
    'SQL, 1': both(alone.statement),
    'transaction, 1': both(alone.transaction),
    'HTTP, 1': both(alone.http),
    'HTTP adds, p50': round(added),
    'bare, 1': both(alone.bare),
    'bare adds, p50': round(alone.bare.p50 - alone.statement.p50),
    'one trip adds, p50': round(alone.oneTrip.p50 - alone.statement.p50),
    'its statements, 1': both(alone.allStatements),
    'the rest, 1': both(alone.rest),
    [`transaction, ${WORKERS}`]: both(busy.transaction),
    [`HTTP, ${WORKERS}`]: both(busy.http),
    [`requests/s, ${WORKERS}`]: Math.round(count / seconds),
  };
}
