import { describe, expect, it } from '@jest/globals';
import { databaseFaults } from './boot-checks.js';
import type { ServerFacts } from './database.js';

const safe: ServerFacts = {
  isSuperuser: false,
  bypassesRls: false,
  ownedTables: 0,
  tables: 29,
  serverVersion: 150_014,
  versionText: 'PostgreSQL 15.14',
  vectorVersion: '0.8.0',
  maxConnections: 100,
  grantedRoles: 3,
  inheritedRoles: [],
};
const server = { embedded: false, poolMax: 20 };

describe('A9: what the product refuses to start on', () => {
  it('takes a login that owns nothing and bypasses nothing', () => {
    expect(databaseFaults(safe, server)).toEqual([]);
  });

  it.each<[string, Partial<ServerFacts>, string]>([
    ['a superuser', { isSuperuser: true }, 'logs in as a superuser'],
    ['BYPASSRLS', { bypassesRls: true }, 'with BYPASSRLS'],
    ['an owner of tables', { ownedTables: 29 }, 'owns 29 tables'],
    ['a login that may not take on the roles', { grantedRoles: 2 }, 'GRANT app_user, app_admin, app_system'],
    ['a login that inherits a role', { inheritedRoles: ['app_system'] }, 'inherits the rights of app_system'],
    ['an empty database', { tables: 0, grantedRoles: 0 }, 'npm run db:migrate'],
    ['PostgreSQL 14', { serverVersion: 140_011 }, 'PostgreSQL 15 or later'],
    ['pgvector 0.7', { vectorVersion: '0.7.4' }, 'pgvector 0.8'],
    ['no pgvector', { vectorVersion: null }, 'pgvector 0.8'],
    ['a pool beyond max_connections', { maxConnections: 22 }, 'DATABASE_POOL_MAX=20'],
  ])('refuses %s', (_name, change, message) => {
    const faults = databaseFaults({ ...safe, ...change }, server);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(message);
  });

  it('names every fault at once', () => {
    const faults = databaseFaults(
      { ...safe, isSuperuser: true, inheritedRoles: ['app_user'], ownedTables: 3, vectorVersion: '0.5.1' },
      server,
    );
    expect(faults).toHaveLength(3);
  });

  it.each([
    [150_014, 'It must be NOINHERIT: ALTER ROLE <login> NOINHERIT.'],
    [
      160_000,
      'It must be NOINHERIT: GRANT app_admin, app_user TO <login> WITH INHERIT FALSE; ALTER ROLE <login> NOINHERIT.',
    ],
  ])('says how to end an inheritance on PostgreSQL %i', (serverVersion, remedy) => {
    const inheritedRoles = ['app_admin', 'app_user'];
    const [fault, ...more] = databaseFaults({ ...safe, serverVersion, inheritedRoles }, server);
    expect(more).toEqual([]);
    expect(fault).toContain('inherits the rights of app_admin, app_user,');
    expect(fault).toContain(remedy);
  });

  it.each(['0.8.0', '0.8.4', '0.10.0', '1.0.0'])('takes pgvector %s', (vectorVersion) => {
    expect(databaseFaults({ ...safe, vectorVersion }, server)).toEqual([]);
  });

  it('lets the embedded engine log in as its one superuser, but nothing else pass', () => {
    const embedded = { embedded: true, poolMax: 10 };
    const asSuperuser = {
      isSuperuser: true,
      bypassesRls: true,
      ownedTables: 29,
      inheritedRoles: ['app_user'],
    };
    expect(databaseFaults({ ...safe, ...asSuperuser }, embedded)).toEqual([]);
    expect(databaseFaults({ ...safe, vectorVersion: '0.7.0' }, embedded)).toHaveLength(1);
  });
});
