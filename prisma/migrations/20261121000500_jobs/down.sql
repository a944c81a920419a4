DROP TABLE IF EXISTS cost_tracking, processing_jobs;
DROP FUNCTION IF EXISTS check_job_transition();
