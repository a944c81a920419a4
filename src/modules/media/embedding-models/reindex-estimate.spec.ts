import { reindexWork } from './reindex-estimate.js';

it('adds up what is known: four bytes to a token are expected, a byte and some marks are the most', () => {
  const facts = {
    files: 3,
    knownFiles: 3,
    knownSegments: 10,
    knownCharacters: 1_000n,
    knownBytes: 1_200n,
  };
  expect(reindexWork(facts)).toEqual({
    files: 3,
    guessedFiles: 0,
    segments: 10,
    characters: 1_000,
    expectedTokens: 300,
    maxTokens: 1_280,
  });
});

it('counts files that were never embedded with the mean of the others', () => {
  const facts = { files: 5, knownFiles: 4, knownSegments: 10, knownCharacters: 400n, knownBytes: 402n };
  expect(reindexWork(facts)).toMatchObject({ guessedFiles: 1, segments: 13, characters: 500 });
});

it('takes a file for a text of a few lines when none is known, and nothing for an empty library', () => {
  const none = { knownFiles: 0, knownSegments: 0, knownCharacters: 0n, knownBytes: 0n };
  expect(reindexWork({ files: 2, ...none })).toMatchObject({
    segments: 2,
    characters: 800,
    expectedTokens: 200,
    maxTokens: 816,
  });
  expect(reindexWork({ files: 0, ...none })).toMatchObject({ segments: 0, expectedTokens: 0, maxTokens: 0 });
});
