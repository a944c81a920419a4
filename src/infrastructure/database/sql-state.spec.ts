import { describe, expect, it } from '@jest/globals';
import { constraintOf, isRetryable, isUnavailable, sqlStateOf } from './sql-state.js';

const adapterError = (originalCode: string): object => ({
  code: 'P2010',
  meta: { driverAdapterError: { cause: { originalCode } } },
});

describe('SQLSTATE behind an error', () => {
  it.each<[string, unknown, string | null]>([
    ['node-postgres', Object.assign(new Error('x'), { code: '23505' }), '23505'],
    ['the driver adapter', adapterError('42501'), '42501'],
    ["Prisma's unique violation", { code: 'P2002' }, '23505'],
    ["Prisma's foreign key violation", { code: 'P2003' }, '23503'],
    ["Prisma's write conflict", { code: 'P2034' }, '40001'],
    ['a cause two levels down', { cause: { cause: { code: '57P01' } } }, '57P01'],
    ['an ordinary error', new Error('no'), null],
    ['a system error', { code: 'ECONNREFUSED' }, null],
    ['nothing', null, null],
  ])('is read from %s', (_name, error, expected) => {
    expect(sqlStateOf(error)).toBe(expected);
  });

  it('ends on a chain of causes that bites its tail', () => {
    const error: { cause?: unknown } = {};
    error.cause = error;
    expect(sqlStateOf(error)).toBeNull();
  });

  it('repeats serialization failures and deadlocks only', () => {
    expect(['40001', '40P01', '23505', '57014'].map((code) => isRetryable({ code }))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('knows a database that is away from one that answers', () => {
    const away = ['57P01', '57P03', '08006', '53300', 'ECONNREFUSED', 'ECONNRESET', 'P1001', 'P2024'];
    expect(away.map((code) => isUnavailable({ code }))).toEqual(away.map(() => true));
    expect(isUnavailable(new Error('Connection terminated unexpectedly'))).toBe(true);
    expect(['23505', '42501'].map((code) => isUnavailable({ code }))).toEqual([false, false]);
    expect(isUnavailable(new Error('no'))).toBe(false);
  });

  it('B7: knows the words of the driver adapter for a server that is away', () => {
    const bare = (kind: string): Error =>
      Object.assign(new Error(kind, { cause: { kind } }), { name: 'DriverAdapterError' });
    const away = ['ConnectionClosed', 'DatabaseNotReachable', 'SocketTimeout', 'TooManyConnections'];
    expect(away.map((kind) => isUnavailable(bare(kind)))).toEqual(away.map(() => true));
    expect(
      isUnavailable({ code: 'P2010', meta: { driverAdapterError: { cause: { kind: 'ConnectionClosed' } } } }),
    ).toBe(true);
    expect(
      ['UniqueConstraintViolation', 'TableDoesNotExist'].map((kind) => isUnavailable(bare(kind))),
    ).toEqual([false, false]);
  });

  it('finds the name of the constraint', () => {
    expect(constraintOf(new Error('violates unique constraint "tags_user_name_key"'))).toBe(
      'tags_user_name_key',
    );
    expect(constraintOf(new Error('no'))).toBeNull();
  });
});
