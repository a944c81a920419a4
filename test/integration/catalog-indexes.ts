/**
 * What each index of documents 000 to 004 is for, and the index that serves it now, with its kind and its keys: written by
 * hand from the requirements, as catalog-names.ts. Indexes within a library begin with its owner (design 3.4).
 */
export const INDEXES: Record<string, string> = {
  // C72: a UNIQUE constraint has its index.
  'users(firebase_uid)': 'users_firebase_uid_key btree(firebase_uid)',
  'users(email)': 'idx_users_email btree(lower(email::text))',
  'users(subscription_tier)': 'idx_users_subscription_tier btree(subscription_tier)',
  'users(subscription_status)': 'idx_users_subscription_status btree(subscription_status)',
  'users(stripe_customer_id)': 'users_stripe_customer_id_key btree(stripe_customer_id)',
  'users(last_activity_at)': 'idx_users_last_activity btree(last_activity_at)',
  'users(billing_period_start, billing_period_end)':
    'idx_users_billing_period btree(billing_period_start, billing_period_end)',
  // 001-20, 000-12; the primary key leads with user_id (design 3.4).
  'media_files(user_id)': 'media_files_pkey btree(user_id, id)',
  'media_files(file_type)': 'idx_media_files_file_type btree(user_id, file_type)',
  'media_files(status)': 'idx_media_files_status btree(user_id, status)',
  'media_files(uploaded_at)': 'idx_media_files_uploaded_at btree(user_id, uploaded_at, id)',
  'media_files(s3_key)': 'media_files_bucket_key btree(s3_bucket, s3_key)',
  'media_files(file_hash)': 'idx_media_files_file_hash btree(user_id, file_hash)',
  'media_files gin(tags)': 'idx_media_files_tags gin(tags)',
  'media_files gin(detected_labels)': 'idx_media_files_detected_labels gin(detected_labels)',
  'media_files gin(custom_metadata)': 'idx_media_files_custom_metadata gin(custom_metadata)',
  'media_files(status, processing_started_at)':
    'idx_media_files_processing_status btree(status, processing_started_at)',
  'media_files active, 001-54': 'idx_media_files_active btree(user_id, uploaded_at)',
  // 001-25, 000-12; C04: bit codes and an exact second stage instead of ivfflat.
  'media_embeddings(media_file_id)': 'idx_embeddings_media_file btree(user_id, media_file_id, model_id)',
  'media_embeddings ivfflat(embedding)': 'idx_media_embeddings_code btree(user_id, model_id)',
  'media_embeddings(segment_type), (start, end)':
    'idx_media_embeddings_segment_type btree(user_id, media_file_id, segment_type, start_time_seconds)',
  'media_embeddings(is_primary)': 'idx_embeddings_is_primary btree(user_id, media_file_id, model_id)',
  // 001-33
  'processing_jobs(media_file_id)': 'idx_processing_jobs_media_file_id btree(user_id, media_file_id)',
  'processing_jobs(user_id)': 'processing_jobs_pkey btree(user_id, id)',
  'processing_jobs(status)': 'idx_processing_jobs_status btree(user_id, status)',
  'processing_jobs(job_type)': 'idx_processing_jobs_job_type btree(job_type)',
  'processing_jobs(priority, queued_at)': 'idx_processing_jobs_priority btree(priority, queued_at)',
  'processing_jobs(retry_at)': 'idx_processing_jobs_retry btree(retry_at)',
  'processing_jobs(subscription_tier)': 'idx_processing_jobs_subscription_tier btree(subscription_tier)',
  // 001-38
  'search_history(user_id), (searched_at)': 'idx_search_history_searched_at btree(user_id, searched_at)',
  'search_history gin(query_text)':
    "idx_search_history_query_text gin(to_tsvector('english'::regconfig, query_text))",
  'search_history(search_session_id)': 'idx_search_history_session btree(user_id, search_session_id)',
  'search_history(response_time_ms, cache_hit)':
    'idx_search_history_performance btree(response_time_ms, cache_hit)',
  // 001-42
  'cost_tracking(user_id)': 'idx_cost_tracking_user_id btree(user_id, incurred_at)',
  'cost_tracking(service_name, operation_type)':
    'idx_cost_tracking_service btree(service_name, operation_type)',
  'cost_tracking(billing_period)':
    'idx_cost_tracking_billing_period btree(billing_period_year, billing_period_month)',
  'cost_tracking(media_file_id)': 'idx_cost_tracking_media_file btree(user_id, media_file_id)',
  'cost_tracking(incurred_at)': 'idx_cost_tracking_incurred_at btree(incurred_at)',
  // 001-48
  'audit_logs(user_id)': 'idx_audit_logs_user_id btree(user_id, occurred_at, id)',
  'audit_logs(event_type)': 'idx_audit_logs_event_type btree(event_type)',
  'audit_logs(event_category)': 'idx_audit_logs_event_category btree(event_category)',
  'audit_logs(occurred_at)': 'idx_audit_logs_occurred_at btree(occurred_at)',
  'audit_logs(target)': 'idx_audit_logs_target btree(target_type, target_id)',
  'audit_logs(actor)': 'idx_audit_logs_actor btree(actor_type, actor_identifier)',
  'audit_logs(risk_level)': 'idx_audit_logs_risk_level btree(risk_level)',
  'audit_logs(ip_address)': 'idx_audit_logs_ip_address btree(ip_address)',
  'analyses(item_id), (user_id), (item_id, version)':
    'idx_analyses_item_version btree(user_id, media_file_id, kind, version)',
  'analyses(category)': 'ix_analyses_category btree(user_id, category)',
  'analyses gin(search_vector)': 'idx_analyses_search_vector gin(user_id, search_vector)',
};
