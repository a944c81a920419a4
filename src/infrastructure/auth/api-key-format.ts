import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * `ams_<43 characters of 256 random bits>_<8 hex digits of CRC-32>`: the prefix and checksum let secret scanners find a
 * leaked key, and let the server drop a mistyped one without a look-up.
 */
const PREFIX = 'ams';
const PATTERN = /^ams_[A-Za-z0-9_-]{43}_[0-9a-f]{8}$/;
/** Characters that are kept in clear, so that a person can tell keys apart. */
const VISIBLE_CHARACTERS = 12;

export interface NewApiKey {
  /** Shown once, never stored. */
  key: string;
  visiblePrefix: string;
  hash: string;
}

export function generateApiKey(): NewApiKey {
  const body = `${PREFIX}_${randomBytes(32).toString('base64url')}`;
  const key = `${body}_${checksum(body)}`;
  return { key, visiblePrefix: key.slice(0, VISIBLE_CHARACTERS), hash: hashSecret(key) };
}

export function isWellFormedApiKey(key: string): boolean {
  return PATTERN.test(key) && key.slice(-8) === checksum(key.slice(0, -9));
}

/** SHA-256 in hex. Enough for 256 random bits; passwords get argon2id instead. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
