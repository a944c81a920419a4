import fc from 'fast-check';
import { generateApiKey, hashSecret, isWellFormedApiKey } from './api-key-format.js';
import { normalizeEmail } from './email.js';
import { Passwords } from './passwords.js';

describe('normalizeEmail', () => {
  it.each([
    ['Ada@Example.COM', 'ada@example.com'],
    ['  ada@example.com ', 'ada@example.com'],
    ['user@münchen.de', 'user@xn--mnchen-3ya.de'],
    ['first+tag@example.com', 'first+tag@example.com'],
    ['no-at', null],
    ['two@at@example.com', null],
    ['@example.com', null],
    ['user@', null],
    ['a b@example.com', null],
    ['a\u0000b@example.com', null],
    [`${'x'.repeat(250)}@example.com`, null],
  ])('%j -> %j', (given, expected) => {
    expect(normalizeEmail(given)).toBe(expected);
  });

  it('is stable: what it gives is its own normal form', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (address) => {
        const once = normalizeEmail(address);
        expect(once === null || normalizeEmail(once) === once).toBe(true);
      }),
    );
  });
});

describe('API keys', () => {
  it('are well formed, distinct, and kept as a SHA-256', () => {
    const keys = Array.from({ length: 50 }, generateApiKey);
    expect(new Set(keys.map(({ key }) => key)).size).toBe(50);
    for (const { key, hash, visiblePrefix } of keys) {
      expect(isWellFormedApiKey(key)).toBe(true);
      expect(hash).toBe(hashSecret(key));
      expect(hash).toHaveLength(64);
      expect(key.startsWith(visiblePrefix)).toBe(true);
    }
  });

  it('with any one character changed are refused by their checksum', () => {
    const { key } = generateApiKey();
    for (let index = 0; index < key.length; index += 1) {
      const changed = key.slice(0, index) + (key[index] === 'A' ? 'B' : 'A') + key.slice(index + 1);
      expect(isWellFormedApiKey(changed)).toBe(false);
    }
  });
});

describe('Passwords', () => {
  const passwords = new Passwords();

  it('hashes with argon2id of at least 19 MiB and two passes, and matches its own hash only', async () => {
    const hash = await passwords.hash('pässword one');
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    // The same letters, composed differently: one password.
    expect(await passwords.matches(hash, 'pa\u0308ssword one')).toBe(true);
    expect(await passwords.matches(hash, 'password one')).toBe(false);
  });

  it('matches nothing for an unknown account or a broken hash', async () => {
    expect(await passwords.matches(null, 'no such account')).toBe(false);
    expect(await passwords.matches('not a hash', 'anything')).toBe(false);
  });
});
