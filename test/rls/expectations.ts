/**
 * Who may do what to which row: the declared side of the row-level security matrix. The tables themselves are read
 * from the catalog, and one that is declared nowhere here is a violation.
 */

/** done = it touched the row; hidden = no error and no row; refused = SQLSTATE 42501. Others are SQLSTATEs. */
export type Outcome = 'done' | 'hidden' | 'refused' | '23503';

export const VERBS = [
  ...([
    'select own',
    'select foreign',
    'insert own',
    'insert foreign',
    'update own',
    'update foreign',
  ] as const),
  ...(['move', 'delete own', 'delete foreign'] as const),
];
export type Verb = (typeof VERBS)[number];

export const ACTORS = ['owner', 'other user', 'admin', 'system', 'nobody', 'login'] as const;
export type ActorName = (typeof ACTORS)[number];

/**
 * S, I, U, D: may do it to every row that the policies show. u: may update some columns, the owner's not among them.
 * K: a composite foreign key keeps the row with its owner, whatever the policies say.
 */
type Rights = string;

export interface TableExpectation {
  /** A user, own rows only. Default SIUD. */
  user?: Rights;
  admin: Rights;
  system: Rights;
  /** A column that an actor who may update anything may update. */
  touch: string | Partial<Record<ActorName, string>>;
  /** The column that names the owner. Default user_id. */
  owner?: string;
  /** Why the first column of the primary key is not user_id. */
  keyReason?: string;
  /** Policies of app_user that are not the usual one, as name -> [command, USING, WITH CHECK]. */
  userPolicies?: Record<string, [string, string | null, string | null]>;
  /** Name of the usual policy of app_user and of app_admin where it does not follow the pattern. */
  userPolicy?: string;
  adminPolicy?: string;
  /** Policies for the roles that own definer functions: name -> [role, command]. */
  definerPolicies?: Record<string, [string, string]>;
}

const OWN = '(user_id = ( SELECT app_user_id() AS app_user_id))';

export const TENANT_TABLES: Record<string, TableExpectation> = {
  users: {
    ...{ user: 'Su', admin: 'Su', system: 'SIUKD', touch: 'display_name', owner: 'id' },
    keyReason: 'its id is the tenant',
    ...{ userPolicy: 'users_isolation_policy', adminPolicy: 'admin_access_policy' },
    definerPolicies: { users_definer_policy: ['app_definer', 'ALL'] },
  },
  auth_identities: {
    ...{ user: 'S', admin: 'S', system: 'SIuD', touch: 'last_used_at' },
    definerPolicies: { auth_identities_definer_policy: ['app_definer', 'SELECT'] },
  },
  refresh_tokens: { user: '', admin: '', system: 'SIUD', touch: 'revoked_at' },
  api_keys: {
    user: 'SIu',
    admin: 'S',
    system: 'Su',
    touch: { owner: 'name', 'other user': 'name', system: 'last_used_at' },
  },
  upload_reservations: { admin: 'S', system: 'SIUD', touch: 'storage_key' },
  media_files: {
    admin: 'S',
    system: 'SD',
    touch: 'title',
    adminPolicy: 'admin_media_policy',
    definerPolicies: { media_files_definer_policy: ['app_definer', 'ALL'] },
  },
  analyses: { admin: 'S', system: '', touch: 'summary' },
  media_embeddings: { admin: 'S', system: 'SD', touch: 'source_text' },
  keyframes: { admin: 'S', system: 'S', touch: 'description' },
  transcript_segments: { admin: 'S', system: '', touch: 'text' },
  clips: { admin: 'S', system: '', touch: 'description' },
  tags: {
    admin: 'S',
    system: '',
    touch: 'description',
    definerPolicies: { tags_definer_policy: ['app_definer', 'ALL'] },
  },
  media_tags: {
    admin: 'S',
    system: '',
    touch: 'source',
    definerPolicies: { media_tags_definer_policy: ['app_definer', 'ALL'] },
  },
  categories: {
    ...{ admin: 'SIUD', system: 'S', touch: 'description' },
    keyReason: 'system categories have no user, and a primary key takes no NULL',
    definerPolicies: { categories_definer_policy: ['app_definer', 'ALL'] },
    userPolicies: {
      categories_user_read_policy: ['SELECT', `((user_id IS NULL) OR ${OWN})`, null],
      categories_user_insert_policy: ['INSERT', null, OWN],
      categories_user_update_policy: ['UPDATE', OWN, OWN],
      categories_user_delete_policy: ['DELETE', OWN, null],
    },
  },
  media_categories: {
    admin: 'S',
    system: '',
    touch: 'source',
    definerPolicies: { media_categories_definer_policy: ['app_definer', 'ALL'] },
  },
  media_labels: { admin: 'S', system: '', touch: 'kind' },
  media_facets: {
    ...{ user: 'S', admin: '', system: '', touch: 'sentiment' },
    definerPolicies: { media_facets_definer_policy: ['app_definer', 'ALL'] },
  },
  processing_jobs: { admin: 'SUK', system: 'SIUK', touch: 'step' },
  search_docs: {
    ...{ user: 'S', admin: 'S', system: '', touch: 'tsv' },
    definerPolicies: {
      search_docs_reader_policy: ['search_reader', 'SELECT'],
      search_docs_definer_policy: ['app_definer', 'ALL'],
    },
  },
  search_words: {
    ...{ user: 'S', admin: '', system: '', touch: 'word' },
    definerPolicies: {
      search_words_reader_policy: ['search_reader', 'SELECT'],
      search_words_definer_policy: ['app_definer', 'ALL'],
    },
  },
  lost_words: {
    ...{ user: '', admin: '', system: '', touch: 'words' },
    definerPolicies: { lost_words_definer_policy: ['app_definer', 'ALL'] },
  },
  search_history: { admin: 'S', system: 'SuD', touch: 'query_text' },
  search_clicks: { admin: 'S', system: '', touch: 'position' },
  saved_searches: { admin: '', system: '', touch: 'name' },
  search_query_vectors: { admin: '', system: 'SD', touch: 'last_used_at' },
  cost_tracking: {
    ...{ user: 'SI', admin: 'S', system: 'S', touch: 'operation_type' },
    keyReason: 'rows outlive their user (C58)',
  },
  audit_logs: {
    ...{ user: 'SI', admin: 'SI', system: 'SI', touch: 'description' },
    keyReason: 'rows outlive their user (C58)',
    adminPolicy: 'admin_audit_policy',
    userPolicies: {
      audit_logs_user_policy: ['SELECT', OWN, null],
      audit_logs_user_insert_policy: ['INSERT', null, `(${OWN} AND ((actor_type)::text = 'user'::text))`],
    },
  },
  idempotency_keys: { admin: '', system: 'SIUD', touch: 'status' },
};

/** Tables of schema public that hold nobody's data, each with its reason. */
export const SHARED_TABLES: Record<string, string> = {
  usage_limits: 'the plans: everybody reads them, administrators write them (C17, by grants)',
  cost_services: 'names of the services that cost money (C21, by grants)',
  embedding_models: 'registry of the models (C03, by grants)',
  stripe_events:
    'the inbox of Stripe: no user, reached by the system and administrators only (policies of its own)',
  _prisma_migrations: 'which migrations were applied: Prisma owns it',
};

/** Policies of tables that are not tenant tables: "table.policy" -> [role, command, USING, WITH CHECK]. */
export const SHARED_POLICIES: Record<string, [string, string, string | null, string | null]> = {
  'stripe_events.stripe_events_system_policy': ['app_system', 'ALL', 'true', 'true'],
  'stripe_events.stripe_events_admin_policy': ['app_admin', 'SELECT', 'true', null],
};

/** Unique indexes of tenant tables without the owner's column: they could tell one user about another (threat A4). */
export const UNIQUE_WITHOUT_OWNER: Record<string, string> = {
  users_pkey: 'the id is the tenant',
  users_firebase_uid_key: 'an account of Firebase belongs to one user; written by the system only',
  idx_users_email: 'an e-mail address belongs to one user; written by the system only',
  users_stripe_customer_id_key: 'a customer of Stripe is one user; written by the system only',
  auth_identities_provider_subject_key: 'a log-in name belongs to one user; written by the system only',
  refresh_tokens_token_hash_key: 'hash of 256 random bits, looked up before the user is known',
  api_keys_key_hash_key: 'hash of 256 random bits, looked up before the user is known',
  media_files_bucket_key: 'keys are made by the server and hold the id of the owner (C06)',
  categories_pkey: 'random id; system categories have no user',
  cost_tracking_pkey: 'random id; rows outlive their user (C58)',
  audit_logs_pkey: 'random id; rows outlive their user (C58)',
};

/** Foreign keys between tenant tables that do not carry the owner's column. */
export const FOREIGN_KEYS_WITHOUT_OWNER: Record<string, string> = {
  media_categories_category_id_fkey:
    'own or system category: the trigger check_media_categories_owner sees to it',
};

/** Whoever applied the migrations; each installation has its own name for it. */
export const OWNER_OF_TABLES = 'the owner of the tables';

/** The only functions that run with rights of their own, and whose: they are part of the wall. */
export const DEFINER_FUNCTIONS: Record<string, string> = {
  'update_user_storage()': 'app_definer',
  'copy_tag_names()': 'app_definer',
  'copy_renamed_tag()': 'app_definer',
  'copy_category_names()': 'app_definer',
  'copy_renamed_category()': 'app_definer',
  'refresh_search_doc()': 'app_definer',
  'refresh_media_facets()': 'app_definer',
  'resolve_identity(text,text)': 'app_definer',
  'search_documents(text)': 'search_reader',
  'search_documents_by_any_word(text[],real,integer)': 'search_reader',
  'similar_words(text,integer)': 'search_reader',
  'collect_search_words()': 'app_definer',
  'forget_lost_words(integer)': 'app_definer',
  'create_search_history_partitions(integer)': OWNER_OF_TABLES,
};

const LETTERS: Record<string, string> = { select: 'S', insert: 'I', update: 'U', delete: 'D' };

/** What the declared rights mean for one actor and verb. @throws when the table is not declared */
export function expectedOutcome(table: string, actor: ActorName, verb: Verb): Outcome {
  const expectation = TENANT_TABLES[table];
  if (!expectation) throw new Error(`${table} is not declared in test/rls/expectations.ts`);
  if (actor === 'login') return 'refused';
  const bypassing = actor === 'admin' || actor === 'system';
  const rights = bypassing ? expectation[actor] : (expectation.user ?? 'SIUD');
  if (verb === 'move') {
    if (!rights.includes('U')) return 'refused';
    if (bypassing) return rights.includes('K') ? '23503' : 'done';
    return actor === 'nobody' ? 'hidden' : 'refused';
  }
  const letter = LETTERS[verb.split(' ')[0] ?? ''] ?? '';
  if (!rights.includes(letter) && !(letter === 'U' && rights.includes('u'))) return 'refused';
  if (bypassing) return 'done';
  if (verb === 'insert foreign' || (verb === 'insert own' && actor === 'nobody')) return 'refused';
  return verb.endsWith('own') && actor !== 'nobody' ? 'done' : 'hidden';
}
