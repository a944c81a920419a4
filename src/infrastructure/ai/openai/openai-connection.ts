import OpenAI from 'openai';
import type { PricedUsage } from '../ai.types.js';
import { ProviderError } from '../ai.types.js';
import { cleanLine } from '../clean-text.js';
import { cancelledError } from '../provider-errors.js';
import type { ResolvedOpenAiEmbedding } from './openai-config.js';
import { fromOpenAiError, timedOut } from './openai-errors.js';

/** 2,048 vectors of 1536 numbers are about 45 MB of JSON; nothing else comes near. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** One answer, not yet believed: the caller checks its shape. */
export interface OpenAiAnswer {
  body: unknown;
  requestId?: string;
}

/** A request that can be waited for together with its headers, as the client library gives it. */
interface PendingRequest {
  withResponse(): Promise<{ data: unknown; request_id: string | null | undefined }>;
}

/** The client library with this product's rules: own deadline, no retries of its own, bounded answers, no logging. */
export class OpenAiConnection {
  private readonly client: OpenAI;

  constructor(config: Pick<ResolvedOpenAiEmbedding, 'apiKey' | 'baseUrl'>) {
    this.client = new OpenAI({
      apiKey: config.apiKey,
      baseURL: config.baseUrl,
      // Explicit, or the library would read them from environment variables that nobody here documents.
      organization: null,
      project: null,
      // The job machine retries; two layers of retries multiply.
      maxRetries: 0,
      // It writes prompts to the console at level debug.
      logLevel: 'off',
      fetch: boundedFetch,
      // A redirect would carry the key and somebody's pictures to a host that nobody configured.
      fetchOptions: { redirect: 'error' },
    });
  }

  /**
   * Makes one request.
   * @param estimate charged with the error when nobody knows whether the call was billed
   * @throws ProviderError
   */
  async request(
    make: (client: OpenAI, options: { signal: AbortSignal; timeout: number }) => PendingRequest,
    options: { timeoutMilliseconds: number; estimate: PricedUsage; signal?: AbortSignal },
  ): Promise<OpenAiAnswer> {
    const { timeoutMilliseconds, estimate, signal } = options;
    if (signal?.aborted) throw cancelledError();
    // The library's own timer stops when the headers are there; this one covers the body as well.
    const deadline = AbortSignal.timeout(timeoutMilliseconds);
    const combined = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    try {
      const pending = make(this.client, { signal: combined, timeout: timeoutMilliseconds + 1_000 });
      const { data, request_id } = await pending.withResponse();
      const requestId = cleanLine(request_id, 255);
      return { body: data, requestId: requestId === '' ? undefined : requestId };
    } catch (error) {
      if (error instanceof ProviderError) throw error;
      if (signal?.aborted) throw cancelledError({ ...estimate, estimated: true });
      if (deadline.aborted) throw timedOut(timeoutMilliseconds, estimate);
      throw fromOpenAiError(error, estimate);
    }
  }
}

/** fetch whose answers break off with an error beyond MAX_ANSWER_BYTES, so that a broken server cannot fill the memory. */
async function boundedFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  // The address is the operator's own configuration, never a user's, and may well be on the private network.
  // eslint-disable-next-line no-restricted-syntax
  const response = await fetch(input, init);
  if (response.body === null) return response;
  let received = 0;
  const bounded = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        received += chunk.byteLength;
        if (received > MAX_ANSWER_BYTES) controller.error(new Error('the answer is too long'));
        else controller.enqueue(chunk);
      },
    }),
  );
  return new Response(bounded, {
    status: response.status,
    statusText: response.statusText,
    headers: response.headers,
  });
}
