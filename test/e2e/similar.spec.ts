import type { SimilarResponse } from '../../src/modules/search/dto/similar.response.js';
import type { Session } from '../harness/app.js';
import { idsOf } from './embedded-media.js';
import { useLibrary } from './use-library.js';

const library = useLibrary();
const { add, newUser, searchesUsed } = library;

async function similar(session: Session, id: string, query = ''): Promise<SimilarResponse> {
  const { body } = await library.app.http
    .get(`/v1/media/${id}/similar${query}`)
    .set(session.headers)
    .expect(200);
  return body as SimilarResponse;
}

describe('GET /v1/media/{id}/similar', () => {
  it('tells near duplicates from files that are merely similar, the owner only', async () => {
    const session = await newUser();
    const source = await add(session, { title: 'a dog on the beach', perceptualHash: '0f0f0f0f0f0f0f0f' });
    const copy = await add(session, { title: 'invoice', perceptualHash: '0f0f0f0f0f0f0f0e' });
    const likeCopy = await add(session, { title: 'dog, beach', perceptualHash: '0f0f0f0f0f0f0f0c' });
    const alike = await add(session, { title: 'dogs at the beach', perceptualHash: 'f0f0f0f0f0f0f0f0' });
    const hidden = await add(session, {
      title: 'dog beach',
      isPrivate: true,
      perceptualHash: '0f0f0f0f0f0f0f0f',
    });
    await add(session, {
      title: 'dog beach in the trash',
      deletedAt: new Date(),
      perceptualHash: '0f0f0f0f0f0f0f0f',
    });
    await add(await newUser(), { title: 'a dog on the beach', perceptualHash: '0f0f0f0f0f0f0f0f' });

    const found = await similar(session, source);
    expect(found).toMatchObject({ status: 'ready', plan: 'exact', model: 'local-hash-embedding' });
    expect(found.nearDuplicates).toMatchObject([
      { media: { id: copy }, hashDistance: 1, score: null },
      { media: { id: likeCopy }, hashDistance: 2, score: expect.any(Number) },
    ]);
    expect(found.items).toMatchObject([{ media: { id: alike }, nearestMoment: null }]);

    const all = await similar(session, source, '?includePrivate=true');
    expect(idsOf(all.nearDuplicates)).toEqual([hidden, copy, likeCopy]);
    expect(idsOf((await similar(session, source, '?limit=1')).nearDuplicates)).toEqual([copy]);
    expect(await searchesUsed(session)).toBe(0);
    const other = await newUser();
    expect((await library.app.http.get(`/v1/media/${source}/similar`).set(other.headers)).status).toBe(404);
  });

  it('says which moment of a video is the nearest', async () => {
    const session = await newUser();
    const source = await add(session, { title: 'espresso machine' });
    const film = await add(session, { title: 'my day', fileType: 'video', durationSeconds: 60 }, 'my day', [
      { segmentType: 'visual', start: 0, end: 20, text: 'a bicycle in the rain' },
      { segmentType: 'audio', start: 21, end: 30, text: 'the espresso machine is hot' },
      { segmentType: 'visual', start: 40, end: 60, text: 'coffee cup' },
    ]);
    const { items } = await similar(session, source);
    expect(items).toMatchObject([
      {
        media: { id: film },
        nearestMoment: {
          startSeconds: 21,
          endSeconds: 30,
          kind: 'speech',
          text: 'the espresso machine is hot',
        },
      },
    ]);
    expect(items[0]!.nearestMoment!.score).toBe(items[0]!.score);
  });

  it('takes no picture without structure for a copy of another one', async () => {
    const session = await newUser();
    const plain = await add(session, { title: 'white', perceptualHash: '0000000000000000' }, '');
    const nearlyPlain = await add(session, { title: 'grey', perceptualHash: '0000000000000011' }, '');
    await add(session, { title: 'blue', perceptualHash: '0000000000001100' }, '');
    for (const id of [plain, nearlyPlain]) {
      expect(await similar(session, id)).toMatchObject({
        nearDuplicates: [],
        items: [],
        status: 'pending',
        plan: 'none',
        model: null,
      });
    }
  });
});
