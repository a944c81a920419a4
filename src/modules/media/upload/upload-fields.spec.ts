import type { AppError } from '../../../infrastructure/errors/app-error.js';
import { readUploadFields } from './upload-fields.js';

function faultsOf(entries: [string, string][]): { pointer: string; detail: string }[] {
  try {
    readUploadFields(entries);
  } catch (error) {
    return (error as AppError).extra.errors ?? [];
  }
  return [];
}

describe('readUploadFields', () => {
  it('has defaults for everything', () => {
    expect(readUploadFields([])).toEqual({
      title: null,
      tags: [],
      categories: [],
      customMetadata: {},
      isPrivate: false,
    });
  });

  it('reads every field', () => {
    expect(
      readUploadFields([
        ['title', '  Sunset at the pier '],
        ['category', 'nature'],
        ['customMetadata', '{"rating":5}'],
        ['isPrivate', 'true'],
      ]),
    ).toEqual({
      title: 'Sunset at the pier',
      tags: [],
      categories: ['nature'],
      customMetadata: { rating: 5 },
      isPrivate: true,
    });
  });

  it.each<[string, [string, string][]]>([
    [
      'repeated',
      [
        ['tags', 'sea'],
        ['tags', 'sun'],
      ],
    ],
    [
      'repeated with brackets',
      [
        ['tags[]', 'sea'],
        ['tags[]', 'sun'],
      ],
    ],
    ['a JSON array', [['tags', '["sea","sun"]']]],
    [
      'mixed, with repetitions and empty ones',
      [
        ['tags', '["sea"]'],
        ['tags[]', ' SEA '],
        ['tags', ''],
        ['tags', 'sun'],
      ],
    ],
  ])('takes tags %s', (_how, entries) => {
    expect(readUploadFields(entries).tags).toEqual(['sea', 'sun']);
  });

  it('keeps a comma: it may be part of a name', () => {
    expect(readUploadFields([['tags', 'Paris, France']]).tags).toEqual(['Paris, France']);
  });

  it('takes an empty title as none', () => {
    expect(readUploadFields([['title', ' ']]).title).toBeNull();
  });

  it('tells every fault at once', () => {
    expect(
      faultsOf([
        ['title', 'a\u0000b'],
        ['tags', '["a", 1]'],
        ['customMetadata', '{"a":'],
        ['isPrivate', 'yes'],
        ['userId', 'somebody'],
        ['constructor', 'x'],
      ]),
    ).toEqual([
      { pointer: '/userId', detail: 'property userId should not exist' },
      { pointer: '/constructor', detail: 'property constructor should not exist' },
      { pointer: '/title', detail: 'title must be one line of text without control characters' },
      { pointer: '/tags', detail: 'tags must be names or a JSON array of names' },
      { pointer: '/customMetadata', detail: 'customMetadata must be valid JSON' },
      { pointer: '/isPrivate', detail: 'isPrivate must be "true" or "false"' },
    ]);
  });

  it.each<[string, [string, string][], string]>([
    [
      '51 tags',
      Array.from({ length: 51 }, (_, index): [string, string] => ['tags', `t${index}`]),
      'tags must hold at most 50 names',
    ],
    ['a JSON list as metadata', [['customMetadata', '[1]']], 'customMetadata must be a JSON object'],
    [
      'two titles',
      [
        ['title', 'a'],
        ['title', 'b'],
      ],
      'title must be sent once',
    ],
    ['a title of 256 characters', [['title', 'x'.repeat(256)]], 'title must be at most 255 characters long'],
  ])('refuses %s', (_what, entries, detail) => {
    expect(faultsOf(entries).map((fault) => fault.detail)).toEqual([detail]);
  });

  it('answers a hostile field name with something short and harmless', () => {
    const [fault] = faultsOf([[`<script>/~${'x'.repeat(500)}`, '1']]);
    expect(fault?.pointer.length).toBeLessThan(120);
    expect(fault?.detail).not.toMatch(/[<>]/);
  });
});
