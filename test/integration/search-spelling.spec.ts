import type pg from 'pg';
import type { Database } from '../../src/infrastructure/database/database.js';
import type { Correction } from '../../src/modules/search/corrections.js';
import { SearchWordsService } from '../../src/modules/search/search-words.service.js';
import { SpellingService } from '../../src/modules/search/spelling.service.js';
import { createUser } from '../factories/users.js';
import { connectAsSuperuser, connectTestDatabase } from '../harness/database.js';
import { asUser, insertMedia, type MediaFixture } from './search-fixtures.js';

const spelling = new SpellingService();
let database: Database;
let superuser: pg.Client;
let sweeper: SearchWordsService;

beforeAll(async () => {
  database = await connectTestDatabase();
  superuser = await connectAsSuperuser();
  sweeper = new SearchWordsService(database);
});
afterAll(async () => {
  await superuser.end();
  await database.end();
});

const newUser = async (): Promise<string> => (await createUser(database)).id;

const add = (userId: string, media: MediaFixture): Promise<string> =>
  asUser(userId, () => database.run((tx) => insertMedia(tx, userId, media)));

const correct = (userId: string, terms: string): Promise<Correction | null> =>
  asUser(userId, () => database.run(async (tx) => (await spelling.correct(tx, terms))[0] ?? null));

/** A user with one file for each title. */
async function libraryOf(...titles: string[]): Promise<string> {
  const user = await newUser();
  for (const title of titles) await add(user, { title });
  return user;
}

const wordsOf = async (userId: string): Promise<string[]> =>
  (
    await superuser.query<{ word: string }>(
      'SELECT word FROM search_words WHERE user_id = $1 ORDER BY word COLLATE "C"',
      [userId],
    )
  ).rows.map(({ word }) => word);

describe('the words of a library', () => {
  it('come from every text of a file: as written, lower case, without accents, no numbers, 3 to 40 letters', async () => {
    const user = await newUser();
    await add(user, {
      title: 'Häuser am Meer 2024',
      originalFilename: 'DSC_0815-beachHouse.jpg',
      tags: ['Sommerferien'],
      categories: ['nature'],
      labels: [{ name: 'lighthouse', confidence: 0.9 }],
      summary: "It's a well-known café.",
      detectedText: ['ÉCOLE', 'x'.repeat(41), 'no 42'],
      transcript: 'the B2B covid19 walks 🌅 mail@example.test',
      language: 'de',
    });
    expect(await wordsOf(user)).toEqual([
      ...['b2b', 'beach', 'cafe', 'covid19', 'dsc', 'ecole', 'hauser', 'house', 'jpg', 'known', 'lighthouse'],
      ...['meer', 'nature', 'sommerferien', 'the', 'walks', 'well'],
    ]);
  });

  it('follow a change, and the words of a file in the trash are not added', async () => {
    const user = await newUser();
    const id = await add(user, { title: 'sunset' });
    await add(user, { title: 'hidden', deletedAt: new Date() });
    await asUser(user, () =>
      database.run((tx) =>
        tx.mediaFile.update({ where: { userId_id: { userId: user, id } }, data: { title: 'harbour' } }),
      ),
    );
    expect(await wordsOf(user)).toEqual(['harbour', 'img', 'jpg', 'sunset']);
  });

  it('are 5,000 of one change at most, the first ones, and a very long text is no error', async () => {
    const user = await newUser();
    const numbered = Array.from(
      { length: 40_000 },
      (_, index) => `word${String.fromCharCode(97 + (index % 26))}${index}`,
    );
    await add(user, { title: 'x', fileType: 'video', transcript: numbered.join(' ') });
    const words = await wordsOf(user);
    expect(words).toHaveLength(5000);
    expect(words).toContain(numbered[0]);
  });
});

describe('correction', () => {
  it.each([
    ['sunste', 'sunset', [['sunste', 'sunset']]],
    [
      'recieve invoce',
      'receive invoice',
      [
        ['recieve', 'receive'],
        ['invoce', 'invoice'],
      ],
    ],
    [
      'recieve  invoce or sunset -boaat',
      'receive  invoice or sunset -boaat',
      [
        ['recieve', 'receive'],
        ['invoce', 'invoice'],
      ],
    ],
    [
      'Sunste 🌅 sunste',
      'sunset 🌅 sunset',
      [
        ['Sunste', 'sunset'],
        ['sunste', 'sunset'],
      ],
    ],
    ['baech', 'beach', [['baech', 'beach']]],
    ['tset', 'test', [['tset', 'test']]],
    ['grundstükc', 'grundstuck', [['grundstükc', 'grundstuck']]],
    ['Grundstueck', 'grundstuck', [['Grundstueck', 'grundstuck']]],
  ])('%j -> %j', async (typed, terms, replaced) => {
    const user = await libraryOf('Sunset', 'receive an invoice', 'a test on the beach', 'Grundstück');
    expect(await correct(user, typed)).toEqual({
      terms,
      replaced: replaced.map(([from, to]) => ({ from, to })),
    });
  });

  it.each([
    ['a word as it is written', 'sunset'],
    ['another form of it', 'sunsets'],
    ['another form in the language of the file', 'Haus'],
    ['a word without its accents', 'grundstuck'],
    ['stop words of the languages', 'with aber'],
    ['an excluded word', '-sunste'],
    ['an excluded phrase', '-"sunste beach"'],
    ['a quoted phrase', '"sunste beach"'],
    ['an excluded word, by another dash', '–sunste'],
    ['numbers', '20240101 12345'],
    ['short words', 'snu bch'],
    ['what is like nothing', 'xylophone'],
    ['emoji', '🌅🌅🌅🌅🌅'],
    ['nothing', ''],
  ])('leaves alone %s', async (_name, typed) => {
    const user = await libraryOf('Sunset', 'beach 20240102', 'Grundstück');
    await add(user, { title: 'Häuser wirklich', language: 'de' });
    expect(await correct(user, typed)).toBeNull();
  });

  it('never makes a stop word of one of the languages out of a word', async () => {
    const user = await libraryOf('salt und pepper');
    expect((await correct(user, 'hund'))?.terms).toBe('und');
    await add(user, { title: 'Haus', language: 'de' });
    expect(await correct(user, 'hund')).toBeNull();
  });

  it('has the library without words in mind', async () => {
    expect(await correct(await newUser(), 'sunste')).toBeNull();
  });

  it('looks up the first eight words', async () => {
    const user = await libraryOf('sunset', 'abcdef ghijkl mnopqr stuvwx');
    const unknown = Array.from({ length: 7 }, (_, index) => `zz${'qwertyu'[index]}vvvv`);
    expect((await correct(user, [...unknown, 'sunste'].join(' ')))?.replaced).toEqual([
      { from: 'sunste', to: 'sunset' },
    ]);
    expect(await correct(user, [...unknown, 'zzyyvvvv', 'sunste'].join(' '))).toBeNull();
  });

  it('takes any text: signs, operators and 1,000 characters are no error and correct nothing by themselves', async () => {
    const user = await libraryOf('sunset', "100%_sure it's");
    const hostile = [
      ...[
        '%',
        '_',
        '%sunse%',
        "'",
        "''; DROP TABLE users; --",
        '\\',
        '\\\\sunste\\',
        '& | ! <-> :* ( ) sunset:*',
      ],
      ...[
        '"',
        '"""',
        '"sunste',
        '- - -',
        '-"',
        "' or 1=1",
        '\u202esunste\u202c',
        '\ud83c',
        'ｓｕｎｓｔｅ',
        '½¾ⅷ',
        'İİİİİİ',
      ],
    ];
    for (const terms of hostile) {
      const found = await correct(user, terms);
      for (const { to } of found?.replaced ?? []) expect(to).toMatch(/^(sunset|sure|jpg|img)$/);
    }
    expect((await correct(user, '\\\\sunste\\'))?.terms).toBe('\\\\sunset\\');
    for (const terms of [
      'sunste '.repeat(142),
      'x'.repeat(1000),
      'ab -'.repeat(250),
      '"'.repeat(1000),
      '🌅'.repeat(500),
    ]) {
      const found = await correct(user, terms);
      expect(found?.terms ?? null).toBe(
        terms.startsWith('sunste') ? terms.replaceAll('sunste', 'sunset') : null,
      );
    }
  });
});

describe('isolation', () => {
  it('a word that only another user has is never proposed, in either direction', async () => {
    const first = await libraryOf('sunset');
    const second = await libraryOf('walrus');
    expect(await correct(first, 'walrsu sunste')).toEqual({
      terms: 'walrsu sunset',
      replaced: [{ from: 'sunste', to: 'sunset' }],
    });
    expect(await correct(second, 'sunste walrsu')).toEqual({
      terms: 'sunste walrus',
      replaced: [{ from: 'walrsu', to: 'walrus' }],
    });
    const nobody = await libraryOf('entirely different');
    expect(await correct(nobody, 'sunste walrsu')).toBeNull();
  });

  it('the function gives nothing without a user, and the other words to nobody', async () => {
    const first = await libraryOf('sunset');
    const second = await libraryOf('sunsit');
    const found: Record<string, string[]> = {};
    for (const user of [first, second, '', '00000000-0000-7000-8000-000000000000']) {
      await superuser.query('BEGIN');
      await superuser.query(
        `SELECT set_config('role', 'app_user', true), set_config('app.current_user_id', $1, true)`,
        [user],
      );
      const { rows } = await superuser.query<{ word: string }>(
        `SELECT word FROM similar_words('sunste', 100000)`,
      );
      await superuser.query('ROLLBACK');
      found[user] = rows.map(({ word }) => word);
    }
    expect(Object.values(found)).toEqual([['sunset'], ['sunsit'], [], []]);
  });
});

describe('words that nothing holds any more', () => {
  const update = (userId: string, id: string, data: object) =>
    asUser(userId, () =>
      database.run((tx) => tx.mediaFile.update({ where: { userId_id: { userId, id } }, data })),
    );

  it('are removed by the maintenance: after a change, the trash and a deletion; what another file holds stays', async () => {
    const user = await newUser();
    const changed = await add(user, { title: 'walrus shared' });
    const trashed = await add(user, { title: 'otter shared', transcript: 'puffin', fileType: 'video' });
    const deleted = await add(user, { title: 'lynx shared' });
    await add(user, { title: 'badger shared' });
    await update(user, changed, { title: 'shared seal' });
    await update(user, trashed, { deletedAt: new Date() });
    await asUser(user, () =>
      database.run((tx) => tx.mediaFile.delete({ where: { userId_id: { userId: user, id: deleted } } })),
    );
    expect(await wordsOf(user)).toEqual([
      'badger',
      'img',
      'jpg',
      'lynx',
      'otter',
      'puffin',
      'seal',
      'shared',
      'walrus',
    ]);
    expect(await sweeper.sweep()).toBeGreaterThanOrEqual(4);
    expect(await wordsOf(user)).toEqual(['badger', 'img', 'jpg', 'seal', 'shared']);
    expect((await superuser.query('SELECT 1 FROM lost_words')).rowCount).toBe(0);
    expect(await sweeper.sweep()).toBe(0);
    expect(await correct(user, 'wallrus')).toBeNull();
    await update(user, trashed, { deletedAt: null });
    expect(await wordsOf(user)).toContain('puffin');
    expect((await correct(user, 'pufifn'))?.terms).toBe('puffin');
  });

  it('stay while a document is found by them in its own language', async () => {
    const user = await newUser();
    const id = await add(user, { title: 'Häuser', language: 'de' });
    await add(user, { title: 'Haus', language: 'de' });
    await add(user, { title: 'english' });
    await update(user, id, { title: 'Meer' });
    await sweeper.sweep();
    // "hauser" has the stem of "haus" in German, and still finds that file.
    expect(await wordsOf(user)).toContain('hauser');
  });

  it('go with the account, which leaves nothing to look after', async () => {
    const user = await libraryOf('sunset');
    await database.runAsSystem('maintenance', (tx) => tx.user.deleteMany({ where: { id: user } }));
    expect(await wordsOf(user)).toEqual([]);
    expect((await superuser.query('SELECT 1 FROM lost_words WHERE user_id = $1', [user])).rowCount).toBe(0);
  });
});
