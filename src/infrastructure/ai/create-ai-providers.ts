import type { AiProviders } from './ai.types.js';
import { LocalImageAnalyzer } from './local/local-image-analyzer.js';
import { LocalTextAnalyzer } from './local/local-text-analyzer.js';
import { LocalTextEmbedder } from './local/local-text-embedder.js';
import type { SubtitleFunctions } from './local/local-transcriber.js';
import { LocalTranscriber } from './local/local-transcriber.js';
import type { OpenAiConfig } from './openai/openai-config.js';
import { resolveOpenAiConfig } from './openai/openai-config.js';
import { OpenAiConnection } from './openai/openai-connection.js';
import { OpenAiImageAnalyzer } from './openai/openai-image-analyzer.js';
import { OpenAiTextAnalyzer } from './openai/openai-text-analyzer.js';
import { OpenAiTextEmbedder } from './openai/openai-text-embedder.js';
import type { AudioFunctions } from './openai/openai-transcriber.js';
import { OpenAiTranscriber } from './openai/openai-transcriber.js';

/** Injection token of the AiProviders. */
export const AI_PROVIDERS = Symbol('AI_PROVIDERS');

export interface AiProvidersConfig {
  provider: 'local' | 'openai';
  /** Needed with `openai`. */
  openai?: OpenAiConfig;
  /** The Tesseract program; looked for on the PATH when absent. */
  tesseractPath?: string;
}

/** What the providers need of the media tools. */
export type MediaFunctions = SubtitleFunctions & AudioFunctions;

/**
 * Makes the set of providers that the configuration asks for. Opens no connection.
 * @throws Error that says what is missing or wrong in the configuration
 */
export function createAiProviders(config: AiProvidersConfig, media: MediaFunctions): AiProviders {
  if (config.provider === 'local') {
    return {
      name: 'local',
      textEmbedder: new LocalTextEmbedder(),
      imageAnalyzer: new LocalImageAnalyzer({ tesseractPath: config.tesseractPath }),
      transcriber: new LocalTranscriber(media),
      textAnalyzer: new LocalTextAnalyzer(),
    };
  }
  if (config.openai === undefined)
    throw new Error('the OpenAI provider needs its settings, at least an API key');
  const resolved = resolveOpenAiConfig(config.openai);
  const connection = new OpenAiConnection(resolved);
  return {
    name: 'openai',
    textEmbedder: new OpenAiTextEmbedder(connection, resolved),
    imageAnalyzer: new OpenAiImageAnalyzer(connection, resolved),
    transcriber: new OpenAiTranscriber(connection, resolved, media),
    textAnalyzer: new OpenAiTextAnalyzer(connection, resolved),
  };
}
