import type { ChatCompletionContentPart } from 'openai/resources/chat/completions';
import { z } from 'zod';
import type { PricedUsage } from '../ai.types.js';
import { cleanLine } from '../clean-text.js';
import type { ModelPrice } from '../pricing.js';
import { COST_SERVICES } from '../vocabulary.js';
import type { ResolvedOpenAiConfig } from './openai-config.js';
import type { OpenAiAnswer, OpenAiConnection } from './openai-connection.js';
import { badAnswer, refused } from './openai-errors.js';
import type { TokenCounts, UsageHeader } from './openai-usage.js';
import { believableTokens, maxTokensOf, tokenUsage } from './openai-usage.js';

/** Tokens that the chat format adds around messages and schema. */
const FORMAT_TOKENS = 200;
/** For a model whose price entry does not say: more than open vision models take for 1024 x 1024 pixels. */
const DEFAULT_MAX_TOKENS_PER_IMAGE = 6_000;

/** One kind of question to a chat model, whose answer is a JSON object. */
export interface ChatQuestion<Answer> {
  /** For the ledger, e.g. `analyze_image`. */
  operation: string;
  /** a-z, 0-9 and _. */
  schemaName: string;
  /** JSON schema in the strict subset: every property required, no additional ones. */
  jsonSchema: Record<string, unknown>;
  instructions: string;
  /** Checks the shape of the answer and cleans it; unknown fields are dropped. */
  answerSchema: z.ZodType<Answer>;
}

const choicesSchema = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
      }),
    )
    .min(1),
});

/**
 * Asks a chat model for one JSON object. The model gets no tools, and nothing that it says is taken for more than data:
 * the object is checked against a schema, and whoever asked cleans and caps every string in it.
 */
export class OpenAiChat<Answer> {
  private readonly header: UsageHeader;

  constructor(
    private readonly connection: OpenAiConnection,
    private readonly config: ResolvedOpenAiConfig,
    private readonly target: { model: string; price: ModelPrice },
    private readonly question: ChatQuestion<Answer>,
  ) {
    this.header = {
      service: COST_SERVICES.openaiChat,
      operation: question.operation,
      model: target.model,
      currency: config.currency,
    };
  }

  /** Worst-case price of asking with this text and that many pictures of at most 1024 x 1024 pixels. */
  estimate(text: string, images: number): PricedUsage {
    return tokenUsage(this.header, this.target.price, this.limits(text, images));
  }

  /**
   * @param text goes to the model as the user's message: material, never instructions
   * @param imageUrls data URLs
   * @throws ProviderError
   */
  async ask(
    text: string,
    imageUrls: string[],
    signal?: AbortSignal,
  ): Promise<{ answer: Answer; usage: PricedUsage }> {
    const { schemaName, jsonSchema, instructions } = this.question;
    const content: ChatCompletionContentPart[] = [
      { type: 'text', text },
      ...imageUrls.map((url) => ({ type: 'image_url' as const, image_url: { url } })),
    ];
    const answer = await this.connection.request(
      (client, options) =>
        client.chat.completions.create(
          {
            model: this.target.model,
            messages: [
              { role: 'system', content: instructions },
              { role: 'user', content },
            ],
            response_format: {
              type: 'json_schema',
              json_schema: { name: schemaName, strict: true, schema: jsonSchema },
            },
            max_completion_tokens: this.config.maxOutputTokens,
            ...(this.config.reasoningEffort === undefined
              ? {}
              : { reasoning_effort: this.config.reasoningEffort as 'low' }),
          },
          options,
        ),
      {
        timeoutMilliseconds: this.config.timeoutMilliseconds,
        estimate: this.estimate(text, imageUrls.length),
        signal,
      },
    );
    const usage = this.usageOf(answer, this.limits(text, imageUrls.length));
    return { answer: this.readAnswer(answer.body, usage), usage };
  }

  private readAnswer(body: unknown, usage: PricedUsage): Answer {
    const parsed = choicesSchema.safeParse(body);
    if (!parsed.success) throw badAnswer('it holds no message', usage);
    const { message, finish_reason: finishReason } = parsed.data.choices[0]!;
    if (message.refusal) throw refused(cleanLine(message.refusal, 200), usage);
    if (finishReason === 'content_filter') throw refused('its content filter stopped the answer', usage);
    if (finishReason === 'length') throw badAnswer('it was cut short', usage);
    let value: unknown;
    try {
      value = JSON.parse(withoutFence(message.content ?? ''));
    } catch {
      throw badAnswer('the message is not JSON', usage);
    }
    const answer = this.question.answerSchema.safeParse(value);
    if (!answer.success) {
      const [issue] = answer.error.issues;
      throw badAnswer(`its JSON does not fit the schema at "${cleanLine(issue?.path.join('.'), 60)}"`, usage);
    }
    return answer.data;
  }

  private usageOf({ body, requestId: referenceId }: OpenAiAnswer, limits: TokenCounts): PricedUsage {
    const reported = z.object({ usage: z.unknown() }).safeParse(body).data?.usage;
    const tokens = believableTokens(reported, limits);
    return tokens === null
      ? { ...tokenUsage(this.header, this.target.price, limits), referenceId, estimated: true }
      : { ...tokenUsage(this.header, this.target.price, tokens), referenceId };
  }

  private limits(text: string, images: number): TokenCounts {
    const { instructions, jsonSchema } = this.question;
    const perImage = this.target.price.maxTokensPerImage ?? DEFAULT_MAX_TOKENS_PER_IMAGE;
    return {
      input:
        FORMAT_TOKENS +
        maxTokensOf(instructions) +
        maxTokensOf(JSON.stringify(jsonSchema)) +
        maxTokensOf(text) +
        images * perImage,
      output: this.config.maxOutputTokens,
      images,
    };
  }
}

/** Some servers put JSON into a Markdown code block although a schema was asked for. */
function withoutFence(content: string): string {
  return /^\s*```(?:json)?\s*([\s\S]*?)\s*```\s*$/.exec(content)?.[1] ?? content;
}
