DROP INDEX idx_media_files_uploaded_at;
CREATE INDEX idx_media_files_uploaded_at ON media_files (user_id, uploaded_at DESC, id DESC);
