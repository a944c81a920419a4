import { v7 as uuidv7 } from 'uuid';
import { createUser } from '../factories/users.js';
import { actingAs, connectTestDatabase } from '../harness/database.js';

it('keeps one user from another', async () => {
  const database = await connectTestDatabase();
  const alice = await createUser(database);
  const bob = await createUser(database);
  await actingAs({ kind: 'user', userId: alice.id }, () =>
    database.run((tx) => tx.tag.create({ data: { userId: alice.id, id: uuidv7(), name: 'beach' } })),
  );
  const seen = await actingAs({ kind: 'user', userId: bob.id }, () => database.run((tx) => tx.tag.findMany()));
  expect(seen).toEqual([]);
  const own = await actingAs({ kind: 'user', userId: alice.id }, () => database.run((tx) => tx.tag.findMany()));
  expect(own).toHaveLength(1);
  await database.end();
});
