import { LRUCache } from 'lru-cache';

/**
 * How long a session or an API key that was found is taken for live without another look. Requests come in bursts (a page
 * of results and twenty thumbnails), and each look costs a transaction. What ends a session or a key in this process is
 * known here at once (`forget`); what another process ended, or somebody in the database, a second later: threat C3 allows
 * for a minute, C4 for five seconds.
 */
export const REMEMBERED_MS = 1_000;
const MAX_CREDENTIALS = 10_000;

/** The accounts behind the credentials that were looked up a moment ago. Looks at the same one at the same time are one. */
export class AccountMemory<Account extends object> {
  private readonly looks = new LRUCache<string, Promise<Account | null>>({
    max: MAX_CREDENTIALS,
    ttl: REMEMBERED_MS,
  });

  /**
   * @param credential what stands for it: no secret
   * @param look asks the database; null = not valid. Neither that nor a failure is remembered
   * @returns what `look` gave, at most REMEMBERED_MS ago
   * @throws what `look` throws
   */
  find(credential: string, look: () => Promise<Account | null>): Promise<Account | null> {
    const known = this.looks.get(credential);
    if (known) return known;
    const found = look();
    this.looks.set(credential, found);
    const dropUnless = (account: Account | null): void => {
      if (account === null && this.looks.peek(credential) === found) this.looks.delete(credential);
    };
    found.then(dropUnless, () => dropUnless(null));
    return found;
  }

  /**
   * To be called behind the COMMIT of whatever makes accounts or credentials differ. Forgets everybody: that is rare, and
   * a look each is little. A look that is under way may have seen what was before, and is not remembered either.
   */
  forget(): void {
    this.looks.clear();
  }
}
