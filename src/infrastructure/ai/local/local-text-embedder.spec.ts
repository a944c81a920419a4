import { addFeature, hash64 } from './feature-projection.js';
import { LocalTextEmbedder } from './local-text-embedder.js';
import { textFeatures } from './text-features.js';

const embedder = new LocalTextEmbedder();
const embed = async (...texts: string[]): Promise<Float32Array[]> => (await embedder.embed(texts)).vectors;

function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += a[index]! * b[index]!;
  return sum;
}
function hamming(a: Float32Array, b: Float32Array): number {
  let differing = 0;
  for (let index = 0; index < a.length; index++) if (a[index]! > 0 !== b[index]! > 0) differing++;
  return differing;
}
/** Indices of the `count` best vectors, smallest distance first. */
function nearest(
  vectors: Float32Array[],
  distance: (vector: Float32Array) => number,
  count: number,
): number[] {
  return vectors
    .map((vector, index) => ({ index, distance: distance(vector) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ index }) => index);
}

describe('projection', () => {
  it('gives every feature as many +1 as -1, within chance, and no relation to another feature', () => {
    const vectors = Array.from({ length: 200 }, (_, index) => {
      const sum = new Float64Array(1536);
      addFeature(sum, `feature ${index}`, 1);
      return sum;
    });
    // Five standard deviations of a sum of 1536 random signs are 196.
    for (const vector of vectors)
      expect(Math.abs(vector.reduce((sum, sign) => sum + sign, 0))).toBeLessThan(196);
    let largest = 0;
    for (let a = 0; a < vectors.length; a++) {
      for (let b = 0; b < a; b++) {
        const product = vectors[a]!.reduce((sum, sign, index) => sum + sign * vectors[b]![index]!, 0);
        largest = Math.max(largest, Math.abs(product));
      }
    }
    expect(largest).toBeLessThan(196);
    expect(vectors.every((vector) => vector.every((sign) => Math.abs(sign) === 1))).toBe(true);
  });

  it('hashes near strings apart', () => {
    const hashes = new Set(
      Array.from({ length: 20_000 }, (_, index) => hash64(`g:${index.toString(36)}`).join()),
    );
    expect(hashes.size).toBe(20_000);
  });
});

describe('LocalTextEmbedder', () => {
  it('gives finite vectors of length 1, in order, free of charge', async () => {
    const texts = ['A dog on the beach', 'Invoice', '写真', '🐶', '???', 'the'];
    const { vectors, usage } = await embedder.embed(texts);
    expect(vectors).toHaveLength(texts.length);
    for (const vector of vectors) {
      expect(vector).toHaveLength(1536);
      expect(cosine(vector, vector)).toBeCloseTo(1, 5);
      // Dense: a vector that is zero nearly everywhere would lose its order in the bit stage.
      expect(vector.filter((element) => element === 0).length).toBeLessThan(150);
    }
    expect(usage).toEqual({
      service: 'local_embeddings',
      operation: 'embed_text',
      model: 'local-hash-embedding',
      billingUnit: 'per_request',
      units: 6,
      amount: '0',
      currency: 'USD',
    });
    expect(cosine(vectors[0]!, (await embed('A dog on the beach'))[0]!)).toBeCloseTo(1, 6);
  });

  // A change here makes stored vectors incomparable with new ones: give the model a new version then.
  it.each([
    ['A dog on the beach', '0010111100101010111100110000011101001010100001101011111111010001'],
    ['Rechnung Nr. 12', '1111000110101111110000011011110111001101001100001001100010001011'],
    ['写真', '0110011111111010100110110000011100110110111000011101001010111000'],
  ])('still embeds %j as it did in v1', async (text, signs) => {
    const [vector] = await embed(text);
    expect([...vector!.subarray(0, 64)].map((element) => (element > 0 ? 1 : 0)).join('')).toBe(signs);
    expect(embedder.model.version).toBe('v1');
  });

  it.each([
    ['dog by the ocean', 'A puppy runs along the beach at sunset'],
    ['bill', 'Invoice 2024-118 from Miller Ltd, total 1,250.00 EUR'],
    ['automobile', 'Traffic on a highway with many cars at night'],
    ['kids party', 'Birthday cake with candles and children laughing'],
    ['meeting', 'whiteboard with quarterly budget chart'],
    ['coffee', 'espresso in a small cup on a wooden table'],
    ['marriage', 'wedding couple kissing in front of the church'],
    ['neige', 'Ein Hund spielt im Schnee'],
    // A misspelling finds its word by its n-grams.
    ['birthdya cak', 'Birthday cake with candles and children laughing'],
    ['whitebord', 'whiteboard with quarterly budget chart'],
    // Inflection and case.
    ['WEDDINGS', 'wedding couple kissing in front of the church'],
    // "landscape orientation" is about the frame, "landscape" about what is seen.
    ['landscape', 'mountain lake with clouds'],
  ])('finds by %j: %s', async (query, expected) => {
    const documents = [
      'A puppy runs along the beach at sunset',
      'Invoice 2024-118 from Miller Ltd, total 1,250.00 EUR',
      'Traffic on a highway with many cars at night',
      'Birthday cake with candles and children laughing',
      'Ein Hund spielt im Schnee',
      'whiteboard with quarterly budget chart',
      'A dark picture in landscape orientation, mostly black and blue',
      'mountain lake with clouds',
      'espresso in a small cup on a wooden table',
      'wedding couple kissing in front of the church',
    ];
    const vectors = await embed(...documents);
    const [queryVector] = await embed(query);
    const [best] = nearest(vectors, (vector) => -cosine(vector, queryVector!), 1);
    expect(documents[best!]).toBe(expected);
  });

  it('keeps its order when only the sign bits are compared', async () => {
    const subjects = [
      'a dog',
      'two cats',
      'a child',
      'an old man',
      'a red car',
      'a sailing boat',
      'a wedding couple',
      'a waiter',
    ];
    const verbs = ['runs along', 'rests at', 'waits near', 'plays in front of', 'is seen from above at'];
    const places = [
      'the beach',
      'a mountain lake',
      'the railway station',
      'a busy street',
      'a church',
      'a kitchen',
    ];
    const times = ['at night', 'in the snow', 'at sunset', 'in heavy rain', 'on a quiet morning'];
    let count = 0;
    const corpus = subjects.flatMap((subject) =>
      verbs.flatMap((verb) =>
        places.map((place) => `${subject} ${verb} ${place} ${times[(count++ * 7) % times.length]}`),
      ),
    );
    const vectors = await embed(...corpus);
    const queries = await embed(
      ...[
        'puppy by the ocean',
        'automobile in winter',
        'train at night',
        'kids in the rain',
        'marriage',
        'ship on the water',
      ],
      ...corpus.slice(0, 24).map((text) => text.split(' ').slice(0, 4).join(' ')),
    );
    let kept = 0;
    const cosines: number[] = [];
    const fromBits: number[] = [];
    for (const query of queries) {
      const best = new Set(nearest(vectors, (vector) => -cosine(vector, query), 10));
      kept += nearest(vectors, (vector) => hamming(vector, query), 50).filter((index) =>
        best.has(index),
      ).length;
      for (const vector of vectors) {
        cosines.push(cosine(vector, query));
        // Charikar: the share of differing signs is the angle / pi.
        fromBits.push(Math.cos((Math.PI * hamming(vector, query)) / 1536));
      }
    }
    // The search takes the nearest by bits and re-ranks them: of 240 texts, the ten best are among the 50 nearest.
    expect(kept / (10 * queries.length)).toBeGreaterThan(0.98);
    expect(correlation(cosines, fromBits)).toBeGreaterThan(0.93);
  });

  it('refuses a text without anything visible, and says which', async () => {
    for (const text of ['', ' \n\t', '\u200b\u0000']) {
      await expect(embedder.embed(['fine', text])).rejects.toMatchObject({
        code: 'provider-bad-input',
        retryable: false,
        message: expect.stringContaining('text 2') as string,
      });
    }
  });

  it('stays fast on endless and hostile text', async () => {
    const start = performance.now();
    await embed(
      'a'.repeat(5_000_000),
      'lorem ipsum '.repeat(500_000),
      'x' + '\u0301'.repeat(100_000),
      '('.repeat(100_000),
    );
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    const running = embedder.embed(
      Array.from({ length: 5_000 }, (_, index) => `text number ${index}`),
      controller.signal,
    );
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'provider-cancelled' });
  });
});

describe('textFeatures', () => {
  it('drops function words of several languages, but not all there is', () => {
    expect(
      [...textFeatures('the dog and the der die das').keys()].filter((key) => key.startsWith('s:')),
    ).toEqual(['s:dog', 's:die']);
    expect(textFeatures('The Who').size).toBeGreaterThan(0);
  });

  it('counts repetition by its logarithm', () => {
    expect(textFeatures('dog dog dog').get('s:dog')).toBeCloseTo(1 + Math.log(3));
  });
});

/** Pearson's. */
function correlation(xs: number[], ys: number[]): number {
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(xs), mean(ys)];
  let [xy, xx, yy] = [0, 0, 0];
  xs.forEach((x, index) => {
    const y = ys[index]! - meanY;
    xy += (x - meanX) * y;
    xx += (x - meanX) ** 2;
    yy += y ** 2;
  });
  return xy / Math.sqrt(xx * yy);
}
