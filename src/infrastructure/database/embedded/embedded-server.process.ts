/**
 * The process that runs the embedded database: PGlite (PostgreSQL in WebAssembly) behind a socket that speaks the
 * PostgreSQL protocol. A process of its own, because a query blocks the thread it runs in.
 *
 * Started by fork(); arguments: data folder, socket path (or "tcp" where Unix sockets are not available).
 * It imports packages only, so that Node runs it as it is, compiled or not.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { btree_gin } from '@electric-sql/pglite/contrib/btree_gin';
import { btree_gist } from '@electric-sql/pglite/contrib/btree_gist';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { pgcrypto } from '@electric-sql/pglite/contrib/pgcrypto';
import { unaccent } from '@electric-sql/pglite/contrib/unaccent';
import { uuid_ossp } from '@electric-sql/pglite/contrib/uuid_ossp';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

/** Connections that may be open at once. Transactions still run one after the other: PGlite has one session. */
const MAX_CONNECTIONS = 40;

const [dataFolder, socketPath] = process.argv.slice(2);
if (!dataFolder || !socketPath) throw new Error('usage: embedded-server <data folder> <socket path | tcp>');

const database = await PGlite.create({
  dataDir: dataFolder,
  extensions: { vector, pg_trgm, btree_gin, btree_gist, pgcrypto, unaccent, uuid_ossp },
});
const server = new PGLiteSocketServer({
  db: database,
  maxConnections: MAX_CONNECTIONS,
  ...(socketPath === 'tcp' ? { host: '127.0.0.1', port: 0 } : { path: socketPath }),
});

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await server.stop();
  // Flushes what is still in memory to the data folder.
  await database.close();
  // The folder of the socket was made for this server alone; its parent may be gone.
  if (socketPath !== 'tcp') await rm(path.dirname(String(socketPath)), { recursive: true, force: true });
  process.exit(0);
}

// The parent owns this process: when it goes away, the channel closes and the database is shut down in order.
process.on('disconnect', () => void stop());
process.on('message', (message) => {
  if (message === 'stop') void stop();
});
// Ctrl-C reaches the whole process group; the parent says when to stop, after its own connections are closed.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

server.addEventListener('listening', (event) => {
  const detail = (event as CustomEvent<{ port?: number; host?: string }>).detail;
  process.send?.({ ready: true, port: detail?.port ?? null });
});
await server.start();
