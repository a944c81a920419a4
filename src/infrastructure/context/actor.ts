/**
 * The short list of places that may act as the system, that is across users. A new one is added here, with its
 * reason, and nowhere else.
 */
export const SYSTEM_PLACES = {
  'auth.authenticate': 'finds the user behind a log-in, token or API key before there is a user',
  'auth.register': 'creates the user',
  'jobs.dispatch': 'finds due jobs of all users and hands out their ids',
  'jobs.reconcile': 'finds jobs whose lease ran out',
  'embedding-models.reindex':
    'finds files of all users without vectors of a model, writes their jobs, drops old vectors',
  'embedding-models.active': 'which embedding model search uses, for readiness',
  maintenance: 'expired reservations, tokens and keys; billing periods; trash; old searches',
  'start-up': 'first administrator, embedding model, checks of the database',
  seed: 'sample library and its users',
} as const;
export type SystemPlace = keyof typeof SYSTEM_PLACES;

/** In whose name the database is asked. */
export type Actor =
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'admin'; readonly userId: string }
  | { readonly kind: 'system'; readonly userId: null; readonly place: SystemPlace };

/** The database role that a transaction takes on for each kind of actor. */
export const DATABASE_ROLES = { user: 'app_user', admin: 'app_admin', system: 'app_system' } as const;
