import { setTimeout as sleep } from 'node:timers/promises';
import { AccountMemory, REMEMBERED_MS } from './account-memory.js';

interface Account {
  name: string;
}

/** Looks that are answered by hand. */
function looks() {
  const open: PromiseWithResolvers<Account | null>[] = [];
  const look = (): Promise<Account | null> => {
    const next = Promise.withResolvers<Account | null>();
    open.push(next);
    return next.promise;
  };
  return { open, look };
}

describe('AccountMemory', () => {
  it('looks once for all that ask at the same time and soon after, and anew a second later', async () => {
    const memory = new AccountMemory<Account>();
    const { open, look } = looks();
    const asked = [memory.find('a', look), memory.find('a', look)];
    open[0]!.resolve({ name: 'ada' });
    expect(await Promise.all(asked)).toEqual([{ name: 'ada' }, { name: 'ada' }]);
    expect(await memory.find('a', look)).toEqual({ name: 'ada' });
    expect(open).toHaveLength(1);
    await sleep(REMEMBERED_MS + 50);
    void memory.find('a', look);
    expect(open).toHaveLength(2);
  });

  it('keeps credentials apart', async () => {
    const memory = new AccountMemory<Account>();
    const found = ['a', 'b'].map((name) => memory.find(name, async () => ({ name })));
    expect(await Promise.all(found)).toEqual([{ name: 'a' }, { name: 'b' }]);
  });

  it('does not remember that nobody was found, nor a failure', async () => {
    const memory = new AccountMemory<Account>();
    expect(await memory.find('a', async () => null)).toBeNull();
    await expect(memory.find('a', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(await memory.find('a', async () => ({ name: 'ada' }))).toEqual({ name: 'ada' });
  });

  it('forgets everybody, and what a look that was under way meanwhile has seen', async () => {
    const memory = new AccountMemory<Account>();
    const { open, look } = looks();
    await memory.find('b', async () => ({ name: 'before' }));
    const early = memory.find('a', look);
    memory.forget();
    open[0]!.resolve({ name: 'before' });
    expect(await early).toEqual({ name: 'before' });
    expect(await memory.find('a', async () => ({ name: 'after' }))).toEqual({ name: 'after' });
    expect(await memory.find('b', async () => ({ name: 'after' }))).toEqual({ name: 'after' });
  });

  it('a look that failed late does not take away what was found since', async () => {
    const memory = new AccountMemory<Account>();
    const { open, look } = looks();
    const early = memory.find('a', look);
    memory.forget();
    await memory.find('a', async () => ({ name: 'ada' }));
    open[0]!.resolve(null);
    expect(await early).toBeNull();
    expect(await memory.find('a', look)).toEqual({ name: 'ada' });
    expect(open).toHaveLength(1);
  });
});
