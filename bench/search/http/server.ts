/**
 * The whole product in a process of its own, with one difference: its text embedder knows the vectors of the benchmark's
 * queries and gives them at once. So a request holds everything but the provider's call: JSON, authentication with its
 * look-up, rate limit, plan limits, the cost record, the search, the page, the history row, the answer.
 *
 * Started by product-server.ts with an IPC channel: takes {@link ServerInput}, answers { port }, then to each
 * {@link ServerMessage} what stands there. Ends on disconnect.
 */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createApplication } from '../../../src/application.js';
import type { PricedUsage, TextEmbedder } from '../../../src/infrastructure/ai/ai.types.js';
import { TextEmbedders } from '../../../src/infrastructure/ai/text-embedders.js';
import { freeUsage } from '../../../src/infrastructure/ai/local/free-usage.js';
import { COST_SERVICES } from '../../../src/infrastructure/ai/vocabulary.js';
import { loadConfig } from '../../../src/infrastructure/config/config.js';
import { createRuntime } from '../../../src/infrastructure/runtime.js';
import { prepareInstallation } from '../../../src/start-up/prepare-installation.js';
import { BENCH_MODEL } from '../data/data-set.js';
import { DIMENSIONS } from '../data/topics.js';
import { startBareServer, StatementRecorder, type RecordedRequest } from './bare-server.js';
import { StatementClock } from './statement-clock.js';

export interface ServerInput {
  environment: Record<string, string>;
  /** File of float32 vectors, one behind the other; the query `question 7` has the eighth. */
  vectorsPath: string;
}

export type ServerMessage =
  /** -> { statementMs }: how long statements were under way since this was asked last. */
  | { ask: 'statementMs' }
  /** -> {}: the statements of the next request are kept. */
  | { ask: 'record' }
  /** -> {}: they belong to this request, which was answered so. */
  | { ask: 'keep'; question: number; answer: string }
  /** -> { port } of a bare server that knows the requests kept. */
  | { ask: 'bareServer' };

class KnownQueries implements TextEmbedder {
  readonly model = BENCH_MODEL;

  constructor(private readonly vectors: Float32Array) {}

  estimate(texts: string[]): PricedUsage {
    return freeUsage(COST_SERVICES.localEmbeddings, 'embed_text', this.model.name, texts.length);
  }

  async embed(texts: string[]): Promise<{ vectors: Float32Array[]; usage: PricedUsage }> {
    const vectors = texts.map((text) => {
      const start = Number(/\d+/.exec(text)?.[0]) * DIMENSIONS;
      return this.vectors.slice(start, start + DIMENSIONS);
    });
    return { vectors, usage: this.estimate(texts) };
  }
}

const clock = new StatementClock();
clock.watch();
const recorder = new StatementRecorder();
recorder.watch();
const recorded = new Map<number, RecordedRequest>();

process.once('message', (input: ServerInput) => {
  start(input).catch((error: Error) => {
    console.error(error);
    process.exit(1);
  });
});

async function start({ environment, vectorsPath }: ServerInput): Promise<void> {
  const bytes = readFileSync(vectorsPath);
  const vectors = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const opened = await createRuntime(loadConfig(environment), { name: 'api', runsJobs: false });
  const textEmbedder = new KnownQueries(vectors);
  const runtime = {
    ...opened,
    ai: { ...opened.ai, textEmbedder },
    textEmbedders: new TextEmbedders(textEmbedder, null),
  };
  await prepareInstallation(runtime);
  const { nest } = await createApplication(runtime);
  await nest.listen(0, '127.0.0.1');
  const reply = async (message: ServerMessage): Promise<object> => {
    if (message.ask === 'statementMs') return { statementMs: clock.take() };
    if (message.ask === 'bareServer')
      return { port: await startBareServer(environment['DATABASE_URL']!, recorded) };
    if (message.ask === 'record') recorder.start();
    else recorded.set(message.question, { statements: recorder.stop(), answer: message.answer });
    return {};
  };
  process.on('message', (message: ServerMessage) => {
    void reply(message).then((answer) => process.send!(answer));
  });
  process.send!({ port: (nest.getHttpServer().address() as AddressInfo).port });
  process.once('disconnect', () => {
    void nest.close().finally(() => runtime.close().finally(() => process.exit(0)));
  });
}
