DROP TABLE IF EXISTS api_keys, refresh_tokens, auth_identities, users;
