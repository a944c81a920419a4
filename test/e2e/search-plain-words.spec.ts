import { encodeHalfvecText, l2Normalize, toStoredVector } from '../../src/infrastructure/ai/vectors.js';
import type { ExplainResponse } from '../../src/modules/search/dto/explain.dto.js';
import type { SearchResponse } from '../../src/modules/search/dto/search.response.js';
import type { Session } from '../harness/app.js';
import {
  asUser,
  embedder,
  insertEmbeddings,
  randomSource,
  randomVector,
} from '../integration/search-fixtures.js';
import { SearchClient } from './search-client.js';
import { useLibrary } from './use-library.js';

/** Queries in plain words, as a client sees them: what they exclude, and what they need not hold. */
const library = useLibrary();
const { newUser } = library;

const add = (session: Session, title: string, text = title): Promise<string> =>
  library.add(session, { title }, text);
const search = (session: Session, body: object): Promise<SearchResponse> =>
  new SearchClient(library.app, session).search(body);
const explain = (session: Session, searchId: string, mediaId: string): Promise<ExplainResponse> =>
  new SearchClient(library.app, session).explain(searchId, mediaId);
const idsOf = (response: SearchResponse): string[] => response.items.map((item) => item.media.id);

describe('plain words', () => {
  it('say what is left out, and the answer says how they were read', async () => {
    const session = await newUser();
    const empty = await add(session, 'The old harbour');
    const boats = await add(session, 'Boats, and without wind, in the harbour');
    const body = { query: 'harbour without boats' };
    for (const mode of ['hybrid', 'semantic']) {
      const found = await search(session, { ...body, mode });
      expect(idsOf(found)).toEqual([empty]);
      expect(found.exclusion).toEqual({ query: 'harbour -boats', words: ['boats'] });
      const why = await explain(session, found.searchId, boats);
      expect(why.reasons[0]).toMatchObject({ code: 'excluded-word', pointer: '/query' });
    }
    // Text mode is literal, and so is hybrid without any weight on meaning.
    for (const literal of [{ mode: 'text' }, { alpha: 0 }]) {
      const found = await search(session, { ...body, ...literal });
      expect([idsOf(found), found.exclusion]).toEqual([[boats], undefined]);
    }
    expect((await search(session, { query: 'harbour -boats' })).exclusion).toBeUndefined();
  });

  it('need not all be held; explain names what is missing, and when nothing is sure', async () => {
    const session = await newUser();
    const heron = await add(session, 'heron', 'x y z');
    await add(session, 'garden', 'x y z');
    const partly = await search(session, { query: 'heron saxophone' });
    expect(idsOf(partly)).toEqual([heron]);
    const found = await explain(session, partly.searchId, heron);
    expect(found).toMatchObject({ isFound: true, text: { missingWords: ['saxophone'] } });
    expect(idsOf(await search(session, { query: 'heron saxophone', mode: 'text' }))).toEqual([]);

    const { vectors } = await embedder.embed(['saxophone']);
    const asked = toStoredVector(vectors[0]!);
    const noise = randomVector(randomSource(3));
    const weak = l2Normalize(asked.map((element, index) => 0.16 * element + noise[index]!))!;
    const far = await add(session, 'q', '');
    await asUser(session.id, () =>
      library.app.database.run((tx) =>
        insertEmbeddings(tx, session.id, library.modelId, [
          { mediaFileId: far, vector: encodeHalfvecText(weak) },
        ]),
      ),
    );
    expect(idsOf(await search(session, { query: 'saxophone', mode: 'semantic' }))).toEqual([far]);
    const unsure = await search(session, { query: 'saxophone' });
    expect(unsure).toMatchObject({ items: [], total: 0, nextCursor: null });
    const why = await explain(session, unsure.searchId, far);
    expect(why.reasons.map((reason) => reason.code)).toEqual(['nothing-sure', 'words-missing']);
  });
});
