import path from 'node:path';
import { defineConfig } from 'prisma/config';
import { EmbeddedDatabase } from './src/infrastructure/database/embedded/embedded-database.ts';
import { MigrationAdapter } from './prisma/migration-adapter.ts';

/**
 * Prisma CLI configuration. `engine: 'js'` runs migrations on WASM engines through a driver adapter: nothing is
 * downloaded. The connection is the owner's: DATABASE_MIGRATION_URL, else DATABASE_URL, else the embedded database of
 * DATA_DIR, which is started for the command unless a running server has it open already.
 */
export default defineConfig({
  schema: path.join('prisma', 'schema'),
  migrations: { path: path.join('prisma', 'migrations') },
  experimental: { adapter: true },
  engine: 'js',
  adapter: async () => {
    const url = process.env['DATABASE_MIGRATION_URL'] || process.env['DATABASE_URL'];
    if (url) return new MigrationAdapter(url);
    if (process.env['NODE_ENV'] === 'production') {
      throw new Error('Set DATABASE_MIGRATION_URL or DATABASE_URL: production has no embedded database.');
    }
    const embedded = await EmbeddedDatabase.open(process.env['DATA_DIR'] || '.data');
    return new MigrationAdapter(embedded.url, [() => embedded.close()]);
  },
});
