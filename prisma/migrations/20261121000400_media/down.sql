DROP TABLE IF EXISTS media_labels, media_categories, categories, media_tags, tags, clips, transcript_segments, keyframes,
  media_embeddings, embedding_models, analyses, media_files;
DROP FUNCTION IF EXISTS tag_names(uuid, uuid), category_names(uuid, uuid), copy_renamed_category(), copy_category_names(), copy_renamed_tag(), copy_tag_names(),
  check_media_category_owner(), analyses_search_vector_update(), jsonb_words(jsonb), update_user_storage(),
  check_media_status_transition();
