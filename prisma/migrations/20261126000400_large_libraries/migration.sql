-- Name of the partial HNSW index of one very large library. Such indexes are made by the owner of the tables
-- (npm run db:large-libraries), outside of the migrations, because which users need one changes with their libraries.
CREATE FUNCTION graph_index_name(user_id uuid, model_id smallint) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT 'idx_graph_' || replace(user_id::text, '-', '') || '_' || model_id $$;
