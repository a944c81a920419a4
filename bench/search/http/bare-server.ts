import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { validate as isUuid } from 'uuid';
import { writeTogether } from '../../../src/infrastructure/database/open-transaction.js';
import { watchStatements, type Statement } from './watch-statements.js';

/** One request of the product: what it asked the database, and what it answered. */
export interface RecordedRequest {
  statements: Statement[];
  /** JSON. */
  answer: string;
}

/** Keeps the statements that are sent while it is on. */
export class StatementRecorder {
  private statements: Statement[] | null = null;

  /** Watches every connection that `pg` makes from now on. */
  watch(): void {
    watchStatements((statement) => this.statements?.push(statement));
  }

  start(): void {
    this.statements = [];
  }

  stop(): Statement[] {
    const { statements } = this;
    this.statements = null;
    return statements ?? [];
  }
}

/** Path of requests whose statements leave in one round trip. */
export const ONE_TRIP = '/one-trip';

const SEARCH_STATEMENT = /^WITH hidden_media/;
const textOf = (statement: Statement): string => (typeof statement === 'string' ? statement : statement.text);

/**
 * The floor: an HTTP server of Node's own, without framework, authentication, limits, validation or mapping, that sends the
 * statements of recorded requests as the product does (the search, then all the rest with COMMIT in one round trip) and
 * answers with a text that is ready. What a request takes here, the product cannot go below. Asked at ONE_TRIP it sends all
 * of them at once, which only a server can do that knows the answer beforehand.
 * @param requests by the query's number: `question 7` is asked with { query: 'question 7' }
 * @returns the port
 */
export async function startBareServer(
  databaseUrl: string,
  requests: ReadonlyMap<number, RecordedRequest>,
): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl, pipeline: true } as pg.ClientConfig);
  await client.connect();
  const together = (statements: Statement[]): Promise<unknown> => {
    writeTogether(client);
    return Promise.all(statements.map((statement) => client.query(statement as pg.QueryConfig)));
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { query } = JSON.parse(await text(request)) as { query: string };
    const recorded = requests.get(Number(/\d+/.exec(query)?.[0]))!;
    const end = recorded.statements.findIndex((statement) => SEARCH_STATEMENT.test(textOf(statement))) + 1;
    const statements = withNewIds(recorded);
    const trips = request.url === ONE_TRIP ? [statements] : [statements.slice(0, end), statements.slice(end)];
    for (const trip of trips) await together(trip);
    response.setHeader('content-type', 'application/json').end(recorded.answer);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => response.writeHead(500).end(error.message));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.once('disconnect', () => {
    server.close();
    void client.end();
  });
  return (server.address() as AddressInfo).port;
}

/** The rows of the history and of the ledger are new ones each time. */
function withNewIds({ statements, answer }: RecordedRequest): Statement[] {
  const { searchId } = JSON.parse(answer) as { searchId: string };
  const newSearchId = randomUUID();
  return statements.map((statement) => {
    if (typeof statement === 'string' || !statement.text.includes('INSERT INTO search_history'))
      return statement;
    const values = (statement.values ?? []).map((value) => (value === searchId ? newSearchId : value));
    // The ledger's own id comes first.
    const costId = values.findIndex((value) => isUuid(value) && value !== values[0]);
    return { ...statement, values: values.with(costId, randomUUID()) };
  });
}
