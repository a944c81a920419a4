REVOKE SELECT (user_id, id, media_file_id, model_id), DELETE ON media_embeddings FROM app_system;
REVOKE INSERT ON processing_jobs FROM app_system;
DROP INDEX IF EXISTS idx_processing_jobs_reindex, idx_processing_jobs_reindex_open;
-- What was spent stays in the ledger, and the ledger's rows refer to their service.
DELETE FROM cost_services s WHERE s.name = 'reindexing'
  AND NOT EXISTS (SELECT 1 FROM cost_tracking c WHERE c.service_name = s.name);
ALTER TABLE embedding_models DROP COLUMN IF EXISTS activated_at, DROP COLUMN IF EXISTS retired_at,
  DROP COLUMN IF EXISTS fed_until, DROP COLUMN IF EXISTS reindex_requested_at, DROP COLUMN IF EXISTS drop_requested_at;
