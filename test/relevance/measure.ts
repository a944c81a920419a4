import { SearchService } from '../../src/modules/search/search.service.js';
import { startTestApp } from '../harness/app.js';
import { ownDatabaseUrls } from '../harness/database.js';
import { asUser } from '../integration/search-fixtures.js';
import type { Dataset } from './dataset.js';
import { evaluate, type QueryResult } from './evaluate.js';
import { storeLibrary } from './library.js';

/**
 * Starts the product, stores the library under a fresh user and asks every query in every mode through the product's own
 * search service, as its controller does: the mode, the query and its filter, everything else by default. In a database
 * of its own: the provider's model becomes the active one, which concerns everybody in it.
 * @param env settings of the product, e.g. another AI provider
 */
export async function measureRelevance(
  dataset: Dataset,
  env: Record<string, string> = {},
): Promise<{ model: string; results: QueryResult[] }> {
  const { runtimeUrl } = await ownDatabaseUrls('relevance');
  const app = await startTestApp(env, { jobs: false, databaseUrl: runtimeUrl });
  try {
    const { ai } = app.runtime;
    const { id: userId } = await app.createSession({ subscriptionTier: 'ultimate' });
    const itemIds = await storeLibrary(app.database, ai, userId, dataset.items);
    const service = app.nest.get(SearchService);
    const results = await evaluate(dataset, async (mode, { query, filter }) => {
      const answer = await asUser(userId, () => service.search(userId, { query, mode, filter }));
      if (answer.degraded) throw new Error(`"${query}" could not be embedded: ${answer.degradedReason}`);
      return answer.items.map(({ media }) => itemIds.get(media.id)!);
    });
    const { provider, name, version } = ai.textEmbedder.model;
    return { model: `${provider}/${name}/${version}`, results };
  } finally {
    await app.stop();
  }
}

/**
 * The product's settings for the embeddings of the server at RELEVANCE_BASE_URL; none (the local provider) without it. A
 * variable of its own, so that an OPENAI_BASE_URL somebody has set for other reasons never makes the bench spend money.
 * @param env OPENAI_API_KEY, OPENAI_EMBEDDING_MODEL and the like are passed on; a server of one's own takes any key
 */
export function providerSettings(env: NodeJS.ProcessEnv): Record<string, string> {
  const baseUrl = env['RELEVANCE_BASE_URL'];
  if (!baseUrl) return {};
  const passedOn = Object.entries(env).filter(([name, value]) => name.startsWith('OPENAI_') && value);
  return {
    OPENAI_API_KEY: 'none',
    ...(Object.fromEntries(passedOn) as Record<string, string>),
    AI_PROVIDER: 'openai',
    OPENAI_BASE_URL: baseUrl,
  };
}
