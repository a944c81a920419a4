import 'reflect-metadata';
import type { ArgumentMetadata } from '@nestjs/common';
import { createValidationPipe } from '../../../infrastructure/http/validation.js';
import { AppError } from '../../../infrastructure/errors/app-error.js';
import { SearchRequest } from './search.request.js';

const pipe = createValidationPipe();
const metadata: ArgumentMetadata = { type: 'body', metatype: SearchRequest };

async function pointersOf(body: unknown): Promise<string[]> {
  try {
    await pipe.transform(body, metadata);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(error.status).toBe(400);
    return [...new Set((error.extra.errors ?? []).map((fault) => fault.pointer))];
  }
}

it('takes a full request, and trims the query', async () => {
  const request = (await pipe.transform(
    {
      query: '  dog\n on\tthe beach ',
      mode: 'hybrid',
      alpha: 0.25,
      filter: {
        fileType: 'video',
        uploadedFrom: '2026-01-01',
        uploadedTo: '2026-02-01T00:00:00+02:00',
        tags: { any: ['a'], all: [], none: ['b'] },
        categories: ['nature'],
        labels: [{ name: 'dog', minConfidence: 0.5 }],
        includePrivate: true,
      },
      in: ['visual', 'speech'],
      minScore: 0,
      limit: 100,
      sessionId: '0190a1c4-0000-7000-8000-000000000001',
    },
    metadata,
  )) as SearchRequest;
  expect(request.query).toBe('dog  on the beach');
  expect(request.filter).toEqual({
    fileType: 'video',
    uploadedFrom: '2026-01-01T00:00:00.000Z',
    uploadedTo: '2026-01-31T22:00:00.000Z',
    tags: { any: ['a'], all: [], none: ['b'] },
    categories: ['nature'],
    labels: [{ name: 'dog', minConfidence: 0.5 }],
    includePrivate: true,
  });
});

it('leaves a filter out that is null, and keeps any key of custom metadata', async () => {
  expect(await pipe.transform({ query: 'a', filter: null }, metadata)).toMatchObject({ filter: null });
  const contains = JSON.parse('{"constructor":{"prototype":1}}') as object;
  expect(
    await pipe.transform({ query: 'a', filter: { customMetadata: { contains } } }, metadata),
  ).toMatchObject({ filter: { customMetadata: { contains } } });
});

it.each([
  ['no query', {}, ['/query']],
  ['blank query', { query: ' \n ' }, ['/query']],
  ['invisible query', { query: '\u200b\u0301' }, ['/query']],
  ['NUL', { query: 'a\u0000b' }, ['/query']],
  ['control character', { query: 'a\u0007b' }, ['/query']],
  ['lone surrogate', { query: 'a\ud800b' }, ['/query']],
  ['1,001 characters', { query: 'a'.repeat(1001) }, ['/query']],
  ['number as query', { query: 7 }, ['/query']],
  ['unknown mode', { query: 'a', mode: 'magic' }, ['/mode']],
  ['alpha above 1', { query: 'a', alpha: 1.1 }, ['/alpha']],
  ['alpha as text', { query: 'a', alpha: '0.5' }, ['/alpha']],
  ['unknown field', { query: 'a', userId: 'x' }, ['/userId']],
  ['unknown filter', { query: 'a', filter: { userId: 'x' } }, ['/filter/userId']],
  ['filter as list', { query: 'a', filter: [] }, ['/filter']],
  ['NUL in a tag', { query: 'a', filter: { tags: { any: ['x\u0000'] } } }, ['/filter/tags/any/0']],
  ['label without name', { query: 'a', filter: { labels: [{}] } }, ['/filter/labels/0/name']],
  [
    'faults of the query and deep inside the filter at once',
    { query: '', filter: { or: [{}, { tags: { any: ['\ud800'] } }] } },
    ['/query', '/filter/or/1/tags/any/0'],
  ],
  ['"constructor" as field', { query: 'a', filter: { constructor: 1 } }, ['/filter/constructor']],
  ['30 February', { query: 'a', filter: { takenFrom: '2026-02-30' } }, ['/filter/takenFrom']],
  ['year 0', { query: 'a', filter: { takenTo: '0000-01-01' } }, ['/filter/takenTo']],
  ['unknown zone', { query: 'a', in: ['smell'] }, ['/in']],
  ['no zone', { query: 'a', in: [] }, ['/in']],
  ['limit 0', { query: 'a', limit: 0 }, ['/limit']],
  ['limit 101', { query: 'a', limit: 101 }, ['/limit']],
  ['limit 1.5', { query: 'a', limit: 1.5 }, ['/limit']],
  ['no uuid', { query: 'a', sessionId: 'x' }, ['/sessionId']],
])('refuses %s', async (_name, body, pointers) => {
  expect(await pointersOf(body)).toEqual(pointers);
});
