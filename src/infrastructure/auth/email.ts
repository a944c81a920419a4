import { domainToASCII } from 'node:url';

/** RFC 5321: 254 characters at most. */
const MAX_LENGTH = 254;

/**
 * The form in which an address is stored and compared (C40): trimmed, lower case, the domain in punycode. Null when it
 * is no address: exactly one @, a part before it, a domain behind it, no white space.
 */
export function normalizeEmail(address: string): string | null {
  const [local, domain, ...rest] = address.trim().normalize('NFC').toLowerCase().split('@');
  if (!local || !domain || rest.length > 0) return null;
  const ascii = domainToASCII(domain);
  const email = `${local}@${ascii}`;
  // eslint-disable-next-line no-control-regex -- control characters are exactly what must not be in there
  return ascii && email.length <= MAX_LENGTH && !/[\s\u0000-\u001f\u007f]/.test(email) ? email : null;
}
