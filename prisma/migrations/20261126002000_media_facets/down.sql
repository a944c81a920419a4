DROP INDEX idx_media_labels_label;
CREATE INDEX idx_media_labels_label ON media_labels (user_id, label, media_file_id);
DROP TRIGGER IF EXISTS refresh_media_facets_after_change ON media_files;
DROP FUNCTION IF EXISTS refresh_media_facets(), facets_of(media_files);
DROP TABLE IF EXISTS media_facets;
