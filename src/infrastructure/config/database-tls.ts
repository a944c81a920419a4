/** TLS that proves who the server is. What else a connection string may say is open to whoever stands in between. */
const VERIFYING_MODES = ['verify-ca', 'verify-full'];

interface TlsEnvironment {
  DATABASE_SSL: 'auto' | 'verify-full' | 'no-verify' | 'disable';
  isProduction: boolean;
}

/** Whether the connection string names a Unix socket, where there is no TLS. */
export function isUnixSocket(connectionString: string): boolean {
  const url = new URL(connectionString);
  return (url.searchParams.get('host') ?? url.hostname).includes('/');
}

/**
 * C51: in production a connection string alone cannot turn TLS or its verification off, only DATABASE_SSL can, by name.
 * @returns what is wrong and what to do about it, or null
 */
export function tlsFault(connectionString: string, settings: TlsEnvironment): string | null {
  if (!settings.isProduction || settings.DATABASE_SSL !== 'auto' || isUnixSocket(connectionString))
    return null;
  const { searchParams } = new URL(connectionString);
  // The driver takes the last one of each.
  const mode = searchParams.getAll('sslmode').at(-1) ?? 'verify-full';
  const ssl = searchParams.getAll('ssl').at(-1) ?? 'true';
  if (VERIFYING_MODES.includes(mode) && ['true', '1'].includes(ssl)) return null;
  return (
    'has an sslmode that does not verify the server: leave it out or write sslmode=verify-full (with ' +
    'DATABASE_SSL_CA_FILE for an authority of your own), or say by name that it is meant, with DATABASE_SSL=no-verify ' +
    'or DATABASE_SSL=disable'
  );
}

/** What to tell the log at start about connections of production that others could read or take over, or null. */
export function tlsWarning(connectionString: string, settings: TlsEnvironment): string | null {
  if (!settings.isProduction || isUnixSocket(connectionString)) return null;
  if (settings.DATABASE_SSL === 'disable') return 'connections to the database are not encrypted';
  if (settings.DATABASE_SSL === 'no-verify')
    return 'connections to the database are encrypted, but the server is not verified';
  return null;
}
