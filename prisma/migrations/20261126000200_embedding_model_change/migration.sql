-- A change of the embedding model without downtime: one model is built beside the active one, then one switch, and one
-- switch back. The states are those of C03; these columns say what happens to a model's vectors.
ALTER TABLE embedding_models
  ADD COLUMN activated_at timestamptz(3),
  ADD COLUMN retired_at timestamptz(3),
  -- A retired model is embedded with until then, so that the way back is one switch.
  ADD COLUMN fed_until timestamptz(3),
  -- Files without vectors of this model get their jobs since then; NULL when there is nothing left to hand out.
  ADD COLUMN reindex_requested_at timestamptz(3),
  ADD COLUMN drop_requested_at timestamptz(3),
  ADD CONSTRAINT fed_until_is_for_retired_models CHECK (fed_until IS NULL OR state = 'retired'),
  ADD CONSTRAINT active_model_is_not_dropped CHECK (drop_requested_at IS NULL OR state = 'retired');

-- Re-embedding is the operator's act: it stands in the ledger of the file's owner under a name of its own and does not
-- count towards the owner's monthly budget.
INSERT INTO cost_services (name, description) VALUES
  ('reindexing', 'Files embedded again for a change of the embedding model, ordered by the operator')
  ON CONFLICT (name) DO NOTHING;

-- Which jobs of re-embedding there are: the operator's view counts them, the system looks before it writes another.
CREATE INDEX idx_processing_jobs_reindex ON processing_jobs (user_id, media_file_id, created_at)
  WHERE job_type = 'reindex';
CREATE INDEX idx_processing_jobs_reindex_open ON processing_jobs (status)
  WHERE job_type = 'reindex' AND status IN ('blocked', 'pending', 'retrying', 'processing');

-- The system writes jobs for files of all users, and drops vectors of models that are given up. It sees which files have
-- vectors, and neither the vectors nor their texts.
GRANT INSERT ON processing_jobs TO app_system;
GRANT SELECT (user_id, id, media_file_id, model_id), DELETE ON media_embeddings TO app_system;
