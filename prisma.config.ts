import path from 'node:path';
import { defineConfig } from 'prisma/config';
import { MigrationAdapter } from './prisma/migration-adapter.ts';

/**
 * Prisma CLI configuration. `engine: 'js'` runs migrations on WASM engines through a driver adapter: nothing is
 * downloaded. The connection is the owner's: DATABASE_MIGRATION_URL, else DATABASE_URL.
 */
export default defineConfig({
  schema: path.join('prisma', 'schema'),
  migrations: { path: path.join('prisma', 'migrations') },
  experimental: { adapter: true },
  engine: 'js',
  adapter: async () => {
    const url = process.env['DATABASE_MIGRATION_URL'] || process.env['DATABASE_URL'];
    if (!url) {
      throw new Error(
        'Set DATABASE_MIGRATION_URL (the owner of the tables) or DATABASE_URL, or use `npm run db:migrate`, ' +
          'which migrates the embedded database when neither is set.',
      );
    }
    return new MigrationAdapter(url);
  },
});
