import { stem } from './stemmer.js';
import { detectLanguage } from './language.js';
import { foldText, wordsOf } from './words.js';
import { allConcepts, conceptsOf } from './concepts.js';
import { CATEGORIES } from '../vocabulary.js';

describe('stem', () => {
  // The examples of Porter's paper, taken through all five steps.
  const pairs =
    `caresses caress ponies poni ties ti cats cat feed feed agreed agre plastered plaster bled bled
    motoring motor sing sing conflated conflat troubled troubl sized size hopping hop tanned tan falling fall hissing hiss
    fizzed fizz failing fail filing file happy happi sky sky relational relat conditional condit rational ration
    digitizer digit conformabli conform radicalli radic differentli differ vileli vile analogousli analog
    vietnamization vietnam predication predic operator oper feudalism feudal decisiveness decis hopefulness hope
    callousness callous formaliti formal sensitiviti sensit sensibiliti sensibl triplicate triplic formative form
    formalize formal electriciti electr electrical electr hopeful hope goodness good revival reviv allowance allow
    inference infer airliner airlin gyroscopic gyroscop adjustable adjust defensible defens irritant irrit
    replacement replac adjustment adjust dependent depend adoption adopt communism commun activate activ
    angulariti angular homologous homolog effective effect bowdlerize bowdler probate probat rate rate cease ceas
    roll roll`.split(/\s+/);
  it.each(pairs.flatMap((word, index) => (index % 2 === 0 ? [[word, pairs[index + 1]!]] : [])))(
    '%s -> %s',
    (word, expected) => {
      expect(stem(word)).toBe(expected);
    },
  );

  it('leaves short words and other scripts alone', () => {
    expect(['as', 'größe', 'море', '2024'].map(stem)).toEqual(['as', 'größe', 'море', '2024']);
  });
});

describe('wordsOf', () => {
  it.each([
    ["The Dog's bowl, don't!", ['the', 'dog', 'bowl', 'dont']],
    ['Größe ÉTÉ Łódź', ['grosse', 'ete', 'lodz']],
    ['ﬁle №5', ['file', 'no5']],
    ['海辺 beach', ['海', '辺', 'beach']],
    ['हिन्दी', ['हिन्दी']],
    ['한국어 사진', ['한국어', '사진']],
    ['🐶 run', ['🐶', 'run']],
    ['… --- !', []],
  ])('%j -> %j', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it('folds decomposed and composed accents to the same', () => {
    expect(foldText('cafe\u0301')).toBe(foldText('café'));
  });
});

describe('concepts', () => {
  it('share what means the same', () => {
    const names = (word: string): string[] => conceptsOf(stem(word)).map(({ name }) => name);
    expect(names('puppies')).toEqual(names('dogs'));
    expect(names('automobile')).toContain('car');
    expect(names('strand')).toEqual(names('plage'));
    expect(names('xylograph')).toEqual([]);
  });

  it('refer only to concepts and categories that exist', () => {
    const concepts = allConcepts();
    const names = new Set(concepts.map(({ name }) => name));
    expect(names.size).toBeGreaterThan(100);
    expect(concepts.flatMap(({ broader }) => broader).filter((name) => !names.has(name))).toEqual([]);
    expect(
      concepts
        .filter(({ category }) => category !== null && !CATEGORIES.includes(category))
        .map(({ name }) => name),
    ).toEqual([]);
  });
});

describe('detectLanguage', () => {
  it.each([
    ['The dog is in the garden and it plays with a ball', 'en'],
    ['Der Hund ist im Garten und er spielt mit einem Ball', 'de'],
    ["Le chien est dans le jardin et il joue avec une balle qu'il a", 'fr'],
    ['El perro está en el jardín y juega con una pelota que es de los niños', 'es'],
    ['Il cane è nel giardino e gioca con la palla che è della bambina', 'it'],
    ['O cachorro está no jardim e ele não quer a bola que é da menina', 'pt'],
    ['De hond is in de tuin en hij speelt met een bal van het kind', 'nl'],
    ['Hunden är i trädgården och den leker med en boll som är röd', 'sv'],
    ['今日はとても良い天気です', 'ja'],
    ['今天天气很好', 'zh'],
    ['오늘은 날씨가 좋아요', 'ko'],
    ['Собака играет в саду', 'ru'],
    ['Собака грає у саду, її м’яч', 'uk'],
    ['Ο σκύλος παίζει', 'el'],
  ])('%s: %s', (text, language) => {
    expect(detectLanguage(text)).toBe(language);
  });

  it('says null when it cannot know', () => {
    for (const text of ['', '42', 'IMG 2041', 'Beach Bar', 'Total 12.50'])
      expect(detectLanguage(text)).toBeNull();
  });
});
