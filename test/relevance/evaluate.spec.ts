import { faultsOf, violates, type JudgedQuery, type LibraryItem } from './dataset.js';
import { evaluate, faultsAgainst, summarizeModes, type Mode, type Summaries } from './evaluate.js';

const item = (id: string, more: Partial<LibraryItem> = {}): LibraryItem => ({
  id,
  file: `${id}.jpg`,
  takenAt: '2024-01-01',
  tags: [],
  categories: [],
  labels: {},
  summary: '',
  ...more,
});
const dog = item('dog', { title: 'Our dog', tags: ['Pets'] });
const film = item('film', { file: 'film.mp4', takenAt: '2025-02-03', cues: [[0, 1, 'Sit, Bruno!']] });
const secret = item('secret', { isPrivate: true });
const items = [dog, film, secret];
const queries: JudgedQuery[] = [
  { kind: 'words', query: 'dog', judgements: { dog: 3, film: 1 } },
  { kind: 'filter', query: 'dog', filter: { fileType: 'video' }, judgements: { film: 2 } },
  { kind: 'no-answer', query: 'zebra', judgements: {} },
];

it('sums up what each mode answered', async () => {
  const answers: Record<Mode, string[][]> = {
    text: [['dog', 'film'], ['film'], []],
    semantic: [['film', 'dog'], ['dog', 'film'], ['dog']],
    hybrid: [['secret'], [], []],
  };
  const results = await evaluate({ items, queries }, (mode, query) =>
    Promise.resolve(answers[mode][queries.indexOf(query)]!),
  );
  const summaries = summarizeModes(results);
  expect(summaries.text).toEqual({
    ndcgAt10: 1,
    meanReciprocalRank: 1,
    falseAnswerRate: 0,
    violationRate: 0,
  });
  // nDCG: (1 + 7 / 1.58496) / (7 + 1 / 1.58496) = .70981 and (3 / 1.58496) / 3 = .63093; both answers come second.
  expect(summaries.semantic).toEqual({
    ndcgAt10: 0.6704,
    meanReciprocalRank: 0.5,
    falseAnswerRate: 1,
    violationRate: 1,
  });
  expect(summaries.hybrid).toEqual({
    ndcgAt10: 0,
    meanReciprocalRank: 0,
    falseAnswerRate: 0,
    violationRate: 0,
  });
  // A private file in an answer that did not ask for private ones.
  expect(results.find(({ mode }) => mode === 'hybrid')?.violations).toEqual(['secret']);
});

describe('the gate', () => {
  const summary = (ndcgAt10: number, falseAnswerRate = 0.25, violationRate = 0) => ({
    ndcgAt10,
    meanReciprocalRank: 0.5,
    falseAnswerRate,
    violationRate,
  });
  const baseline: Summaries = { text: summary(0.5), semantic: summary(0.6), hybrid: summary(0.7) };

  it('lets through what is as good, better, or worse by no more than .01', () => {
    expect(faultsAgainst(baseline, baseline)).toEqual([]);
    expect(
      faultsAgainst(baseline, { text: summary(0.49), semantic: summary(0.61), hybrid: summary(0.69, 0) }),
    ).toEqual([]);
  });

  it('names what has become worse', () => {
    const worse = { text: summary(0.4899), semantic: summary(0.6, 0.3), hybrid: summary(0.7, 0.25, 0.1) };
    expect(faultsAgainst(baseline, worse)).toEqual([
      'text: nDCG@10 fell from 0.5 to 0.4899',
      'semantic: falseAnswerRate rose from 0.25 to 0.3',
      'hybrid: violationRate rose from 0 to 0.1',
    ]);
  });

  it('demands that hybrid beats both', () => {
    expect(faultsAgainst(baseline, { ...baseline, semantic: summary(0.7) })).toEqual([
      'hybrid (nDCG@10 0.7) does not beat semantic (0.7)',
    ]);
  });
});

describe('what an answer must not hold', () => {
  it.each([
    [dog, {}, false],
    [secret, {}, true],
    [secret, { filter: { includePrivate: true } }, false],
    [dog, { filter: { fileType: 'video' as const } }, true],
    [film, { filter: { fileType: 'video' as const } }, false],
    [film, { filter: { takenFrom: '2025-02-03', takenTo: '2025-02-04' } }, false],
    [film, { filter: { takenTo: '2025-02-03' } }, true],
    [dog, { filter: { tags: { any: ['pets', 'other'] } } }, false],
    [dog, { filter: { tags: { none: ['pets'] } } }, true],
    [dog, { filter: { tags: { all: ['pets', 'other'] } } }, true],
    [dog, { filter: { labels: [{ name: 'dog' }] } }, true],
    [dog, { filter: { categories: ['nature'] } }, true],
    [film, { mustNotSay: ['bruno'] }, true],
    [dog, { mustNotSay: ['do'] }, false],
  ])('%#', (subject, query, expected) => {
    expect(violates(subject, query)).toBe(expected);
  });
});

it('finds contradictions in the data', () => {
  const broken: JudgedQuery[] = [
    { kind: 'words', query: 'a', judgements: { nobody: 3 } },
    { kind: 'words', query: 'a', judgements: { dog: 4 } },
    { kind: 'no-answer', query: 'b', judgements: { dog: 1 } },
    { kind: 'words', query: 'c', judgements: { secret: 1 } },
  ];
  expect(faultsOf({ items: [...items, dog], queries: broken })).toEqual([
    'two items are called dog',
    'words "a": there is no item nobody',
    'words "a" is asked twice',
    'words "a": 4 is no grade',
    'no-answer "b": no-answer queries have no judgements, all others have some',
    `words "c": secret breaks the query's own condition`,
  ]);
});
