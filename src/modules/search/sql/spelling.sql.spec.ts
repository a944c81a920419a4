import { forgetLostWords, unknownWordsQuery } from './spelling.sql.js';

it('printed SQL: unknown words; what was typed is a parameter', () => {
  const hostile = "'; DROP TABLE users; --";
  const sql = unknownWordsQuery(['sunste', hostile], 200);
  expect(sql.text).toMatchSnapshot();
  expect(sql.values).toEqual([['sunste', hostile], 200]);
});

it('printed SQL: lost words', () => {
  expect(forgetLostWords(5).text).toMatchSnapshot();
});
