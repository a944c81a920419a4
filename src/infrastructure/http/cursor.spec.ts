import fc from 'fast-check';
import { AppError } from '../errors/app-error.js';
import { CursorCodec } from './cursor.js';

describe('CursorCodec', () => {
  const codec = new CursorCodec('a secret');
  const refused = (cursor: string, kind = 'media', user = 'alice'): void => {
    expect(() => codec.decode(kind, user, cursor)).toThrow(AppError);
  };

  it('gives back what went in', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (payload) => {
        expect(codec.decode('media', 'alice', codec.encode('media', 'alice', payload))).toEqual(
          JSON.parse(JSON.stringify(payload)),
        );
      }),
    );
  });

  it('is bound to its user, its list and the installation', () => {
    const cursor = codec.encode('media', 'alice', { id: 1 });
    refused(cursor, 'media', 'bob');
    refused(cursor, 'jobs');
    expect(() => new CursorCodec('another secret').decode('media', 'alice', cursor)).toThrow(AppError);
  });

  it('is refused when anything in it was changed', () => {
    const cursor = codec.encode('media', 'alice', { id: 1 });
    for (let index = 0; index < cursor.length; index += 1) {
      const changed = cursor.slice(0, index) + (cursor[index] === 'A' ? 'B' : 'A') + cursor.slice(index + 1);
      // The last character of base64 may hold bits that mean nothing; then the bytes are the same.
      const sameBytes = index === cursor.length - 1;
      if (!sameBytes) refused(changed);
    }
    for (const text of ['', '.', 'a.b', `${cursor}.x`, 'x'.repeat(5000), '\u0000']) refused(text);
  });
});
