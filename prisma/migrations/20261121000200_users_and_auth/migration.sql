CREATE TABLE users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  -- C39: kept for parity with the source documents; auth_identities is what log-ins use.
  firebase_uid varchar(255) UNIQUE,
  email varchar(255) NOT NULL,
  email_verified boolean NOT NULL DEFAULT false,
  display_name varchar(255),
  avatar_url text,
  -- C10: rights. Limits come from subscription_tier; the two do not imply each other.
  role varchar(20) NOT NULL DEFAULT 'USER' CHECK (role IN ('USER', 'ADMIN', 'ENTERPRISE')),
  settings jsonb NOT NULL DEFAULT '{}'::jsonb,

  subscription_tier varchar(20) NOT NULL DEFAULT 'free' CHECK (subscription_tier IN ('free', 'premium', 'ultimate')),
  subscription_status varchar(20) NOT NULL DEFAULT 'active'
    CHECK (subscription_status IN ('active', 'inactive', 'cancelled', 'suspended')),
  subscription_started_at timestamptz(3),
  subscription_ends_at timestamptz(3),
  stripe_customer_id varchar(255) UNIQUE,
  stripe_subscription_id varchar(255),

  uploads_this_month integer NOT NULL DEFAULT 0,
  searches_this_month integer NOT NULL DEFAULT 0,
  storage_used_bytes bigint NOT NULL DEFAULT 0,
  -- C08: the plan rules unless an administrator set a quota for this user.
  storage_quota_bytes_override bigint,
  last_activity_at timestamptz(3) NOT NULL DEFAULT now(),

  -- C23: periods are counted from the anchor, so that the 31st survives February.
  billing_anchor_at timestamptz(3) NOT NULL DEFAULT now(),
  billing_period_start timestamptz(3) NOT NULL DEFAULT now(),
  billing_period_end timestamptz(3) NOT NULL DEFAULT (now() + interval '1 month'),

  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  deleted_at timestamptz(3),

  -- C40: one @, no white space, at most 254 characters; the application lower-cases and punycodes first.
  CONSTRAINT valid_email CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND char_length(email) <= 254),
  CONSTRAINT positive_storage CHECK (storage_used_bytes >= 0),
  CONSTRAINT positive_usage CHECK (uploads_this_month >= 0 AND searches_this_month >= 0),
  CONSTRAINT positive_storage_override CHECK (storage_quota_bytes_override IS NULL OR storage_quota_bytes_override >= 0),
  CONSTRAINT valid_billing_period CHECK (billing_period_start < billing_period_end)
);
-- C40, C72: idx_users_email of the documents. idx_users_firebase_uid and idx_users_stripe_customer_id are the UNIQUEs above.
CREATE UNIQUE INDEX idx_users_email ON users (lower(email));
CREATE INDEX idx_users_subscription_tier ON users (subscription_tier);
CREATE INDEX idx_users_subscription_status ON users (subscription_status);
CREATE INDEX idx_users_last_activity ON users (last_activity_at);
CREATE INDEX idx_users_billing_period ON users (billing_period_start, billing_period_end);
-- Finds the users whose period has run out, for reset_monthly_usage().
CREATE INDEX idx_users_billing_period_end ON users (billing_period_end);
-- Keyset paging of the administrator's list.
CREATE INDEX idx_users_created_at ON users (created_at, id);

-- C39: who may log in as this user, and how. provider 'local' keeps an argon2id hash, others keep none.
CREATE TABLE auth_identities (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  provider varchar(30) NOT NULL CHECK (provider IN ('local', 'firebase')),
  subject varchar(255) NOT NULL,
  secret_hash text,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  last_used_at timestamptz(3),
  PRIMARY KEY (user_id, id),
  -- A log-in name belongs to one user in the whole system: unique without user_id on purpose.
  CONSTRAINT auth_identities_provider_subject_key UNIQUE (provider, subject),
  CONSTRAINT local_identity_has_secret CHECK (provider <> 'local' OR secret_hash IS NOT NULL)
);

-- Refresh tokens rotate: each use replaces the token; a second use of a replaced one revokes its whole family.
CREATE TABLE refresh_tokens (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  family_id uuid NOT NULL,
  token_hash char(64) NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  used_at timestamptz(3),
  revoked_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  -- The hash of 256 random bits: looked up before the user is known.
  CONSTRAINT refresh_tokens_token_hash_key UNIQUE (token_hash)
);
CREATE INDEX idx_refresh_tokens_family ON refresh_tokens (user_id, family_id);
CREATE INDEX idx_refresh_tokens_expires_at ON refresh_tokens (expires_at);

-- C41: many keys per user, shown once, kept as a hash.
CREATE TABLE api_keys (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name varchar(100) NOT NULL,
  prefix varchar(24) NOT NULL,
  key_hash char(64) NOT NULL,
  scopes text[] NOT NULL,
  expires_at timestamptz(3),
  last_used_at timestamptz(3),
  revoked_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  CONSTRAINT api_keys_key_hash_key UNIQUE (key_hash),
  CONSTRAINT api_keys_have_scopes CHECK (cardinality(scopes) > 0)
);

CREATE TRIGGER update_users_updated_at BEFORE UPDATE ON users
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE TRIGGER update_auth_identities_updated_at BEFORE UPDATE ON auth_identities
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
