/**
 * Measures the similarity of texts that have nothing to do with each other, from which the relevance floors are taken
 * (src/modules/search/relevance-floor.ts). Prints one line per version of the local embeddings, within seconds:
 *
 *   npm run bench:relevance-floor
 */
import {
  LOCAL_EMBEDDING_VERSIONS,
  LocalTextEmbedder,
} from '../src/infrastructure/ai/local/local-text-embedder.ts';
import { PICTURES } from '../src/samples/sample-catalogue.ts';

const UNRELATED =
  'xylophone qwertz zzzz flibber guitar solo|tax return 2019|wedding dress|football match|hospital bed|dinosaur skeleton|' +
  'violin|submarine|knitting pattern|asdfgh jkl|laptop keyboard|haircut|piano lesson|swimming pool|ice hockey|tattoo|' +
  'bicycle repair|penguin|baby shower|chainsaw|karaoke|microscope|passport photo|boxing gloves|magnet|umbrella|' +
  'electrician|vaccination|marathon runner|quantum physics|toothbrush|grandmother birthday|helicopter|' +
  'lorem ipsum dolor|blorptastic|zebra|kangaroo|opera singer|skateboard|parliament|mjolnir|vacuum cleaner|ramen|skiing|' +
  'fireworks|dentist|lipstick|gardening|saxophone|barcode';

/** Cosine similarities of the sample pictures' documents and queries that are about something else. */
async function measureFloor(embedder: LocalTextEmbedder): Promise<Record<string, unknown>> {
  const documents = PICTURES.map((picture) =>
    [
      picture.title,
      picture.tags.join(', '),
      picture.category,
      'bright, landscape orientation, blue, green, white, colourful, sharp',
      `A bright landscape picture, mostly blue and white. ${picture.description}`,
    ].join('\n'),
  );
  const { vectors } = await embedder.embed([...documents, ...UNRELATED.split('|')]);
  const cosines = vectors
    .slice(documents.length)
    .flatMap((query) =>
      vectors
        .slice(0, documents.length)
        .map((document) => query.reduce((sum, element, index) => sum + element * document[index]!, 0)),
    );
  const mean = cosines.reduce((a, b) => a + b) / cosines.length;
  const deviation = Math.sqrt(
    cosines.reduce((sum, cosine) => sum + (cosine - mean) ** 2, 0) / cosines.length,
  );
  return {
    model: `${embedder.model.name} ${embedder.model.version}`,
    pairs: cosines.length,
    mean: mean.toFixed(4),
    deviation: deviation.toFixed(4),
    'mean + 4 deviations': (mean + 4 * deviation).toFixed(4),
    'pairs at .12 or above': cosines.filter((cosine) => cosine >= 0.12).length,
  };
}

const rows = [];
for (const version of LOCAL_EMBEDDING_VERSIONS) rows.push(await measureFloor(new LocalTextEmbedder(version)));
console.table(rows);
