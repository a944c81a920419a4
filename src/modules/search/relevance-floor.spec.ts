import { LocalTextEmbedder } from '../../infrastructure/ai/local/local-text-embedder.js';
import { relevanceFloor } from './relevance-floor.js';

const embedder = new LocalTextEmbedder();
const floor = relevanceFloor(embedder.model);

async function cosine(a: string, b: string): Promise<number> {
  const { vectors } = await embedder.embed([a, b]);
  return vectors[0]!.reduce((sum, element, index) => sum + element * vectors[1]![index]!, 0);
}

const DOCUMENTS = {
  boat: 'Sailboat on blue water\nsea, boat, holiday\nA bright picture, mostly blue. A small boat with a white sail.',
  coffee: 'A cup of coffee\ncoffee, breakfast\nA white cup on a saucer, steam rises from it.',
  invoice: 'Invoice from Northwind Traders\ninvoice, office\nAn invoice with a table of items and a total.',
};

it.each([
  ['ship', 'boat'],
  ['ocean', 'boat'],
  ['espresso', 'coffee'],
  ['bill', 'invoice'],
] as const)('lets %s find the %s', async (query, document) => {
  expect(await cosine(query, DOCUMENTS[document])).toBeGreaterThan(floor);
});

it.each(['qwertz zzzz flibber', 'dinosaur skeleton', 'quantum physics', 'wedding dress', 'chainsaw'])(
  'lets %s find nothing',
  async (query) => {
    for (const text of Object.values(DOCUMENTS)) expect(await cosine(query, text)).toBeLessThan(floor);
  },
);

it('has no floor for a model that nobody measured', () => {
  expect(relevanceFloor({ provider: 'x', name: 'y', version: 'v1', dimensions: 8 })).toBe(-1);
});
