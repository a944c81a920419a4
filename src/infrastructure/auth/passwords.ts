import { hash, verify, Algorithm } from '@node-rs/argon2';

/** OWASP Password Storage Cheat Sheet: Argon2id with at least 19 MiB of memory, 2 iterations, 1 degree of parallelism. */
const PARAMETERS = {
  algorithm: Algorithm.Argon2id,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
} as const;
/** Hashes run on libuv's threads; more than two at once would starve file and DNS work of the same pool. */
const MAX_CONCURRENT = 2;

/** Hashes and checks passwords, two at a time. */
export class Passwords {
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  private dummy: Promise<string> | undefined;

  /** @returns a PHC string, e.g. `$argon2id$v=19$m=19456,t=2,p=1$...` */
  async hash(password: string): Promise<string> {
    return this.limited(() => hash(password.normalize('NFKC'), PARAMETERS));
  }

  /**
   * Checks a password. With no stored hash (unknown account) the same work is done against a dummy, so that the time
   * taken does not tell known addresses from unknown ones (threat C5).
   */
  async matches(storedHash: string | null, password: string): Promise<boolean> {
    this.dummy ??= hash('no such account', PARAMETERS);
    const target = storedHash ?? (await this.dummy);
    const matched = await this.limited(() => verify(target, password.normalize('NFKC')).catch(() => false));
    return storedHash !== null && matched;
  }

  private async limited<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= MAX_CONCURRENT) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.running += 1;
    try {
      return await work();
    } finally {
      this.running -= 1;
      this.waiting.shift()?.();
    }
  }
}
