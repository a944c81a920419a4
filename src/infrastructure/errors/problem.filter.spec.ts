import { BadRequestException, NotFoundException } from '@nestjs/common';
import { MediaRejectedError } from '../media-tools/media-tools.types.js';
import { StorageUnavailableError } from '../storage/object-storage.js';
import { toAppError } from './problem.filter.js';

const databaseError = (code: string, message = 'x'): Error => Object.assign(new Error(message), { code });

describe('toAppError', () => {
  it.each([
    [databaseError('23505'), 409, 'already-exists'],
    [databaseError('23503'), 409, 'reference-missing'],
    [databaseError('23514', 'a job cannot go from completed to pending'), 409, 'invalid-transition'],
    [databaseError('23514', 'violates check constraint "x"'), 400, 'value-out-of-range'],
    [databaseError('22P02'), 400, 'invalid-text'],
    [databaseError('22021'), 400, 'invalid-text'],
    [databaseError('57014'), 503, 'timed-out'],
    [databaseError('40001'), 503, 'busy'],
    [databaseError('57P01'), 503, 'database-unavailable'],
    [databaseError('ECONNREFUSED'), 503, 'database-unavailable'],
    [
      { code: 'P2010', meta: { driverAdapterError: { cause: { originalCode: '23505' } } } },
      409,
      'already-exists',
    ],
    [{ code: 'P2034' }, 503, 'busy'],
    [new StorageUnavailableError('x', 'full'), 507, 'storage-full'],
    [new StorageUnavailableError('x', 'unreachable'), 503, 'storage-unavailable'],
    [new MediaRejectedError('corrupt-media', 'The picture is cut off.'), 422, 'corrupt-media'],
    [new MediaRejectedError('unsupported-media-type', 'x'), 415, 'unsupported-media-type'],
    [new NotFoundException(), 404, 'not-found'],
    [new BadRequestException('x'), 400, 'bad-request'],
    [{ type: 'entity.too.large', status: 413 }, 413, 'payload-too-large'],
    [{ type: 'entity.parse.failed', status: 400 }, 400, 'malformed-json'],
  ])('%s -> %i %s', (error, status, code) => {
    expect(toAppError(error)).toMatchObject({ status, code });
  });

  it('says nothing of an unknown error', () => {
    const error = toAppError(new Error('password=hunter2 at 10.0.0.1'));
    expect(error).toMatchObject({ status: 500, code: 'internal-error' });
    expect(error.detail).not.toContain('hunter2');
  });
});
