/**
 * Names that documents 000 to 004 ask for, written by hand from the requirements, and where each is found. A name that
 * is not in the schema as it stands in the document is mapped, with the entry of part 2 that settled it.
 */

/** 001-03, 000-08 and the tables of 002 to 004 that belong to this product. */
export const TABLES: Record<string, string[]> = {
  // 001-04 to 001-08
  users: [
    ...[
      'id',
      'firebase_uid',
      'email',
      'email_verified',
      'display_name',
      'avatar_url',
      'subscription_tier',
      'subscription_status',
    ],
    ...[
      'subscription_started_at',
      'subscription_ends_at',
      'stripe_customer_id',
      'stripe_subscription_id',
      'uploads_this_month',
    ],
    ...[
      'searches_this_month',
      'storage_used_bytes',
      'last_activity_at',
      'billing_period_start',
      'billing_period_end',
    ],
    ...['created_at', 'updated_at', 'deleted_at', 'role', 'settings', 'storage_quota_bytes_override'],
  ],
  // 001-11 to 001-18, 000-10
  media_files: [
    ...[
      'id',
      'user_id',
      'filename',
      'original_filename',
      'file_type',
      'mime_type',
      'file_size_bytes',
      'file_hash',
      's3_key',
    ],
    ...[
      's3_bucket',
      'thumbnail_s3_key',
      'status',
      'processing_started_at',
      'processing_completed_at',
      'processing_error',
    ],
    ...[
      'width',
      'height',
      'duration_seconds',
      'frame_rate',
      'has_audio',
      'ai_summary',
      'detected_labels',
      'detected_faces_count',
    ],
    ...[
      'detected_text',
      'transcription_text',
      'sentiment',
      'content_warnings',
      'tags',
      'custom_metadata',
      'is_private',
    ],
    ...[
      'view_count',
      'last_viewed_at',
      'uploaded_at',
      'updated_at',
      'deleted_at',
      'status_reason',
      'storage_provider',
      'external_id',
    ],
  ],
  // 001-21 to 001-24, 000-11, 003-07
  media_embeddings: [
    ...[
      'id',
      'media_file_id',
      'embedding',
      'source_text',
      'is_primary',
      'start_time_seconds',
      'end_time_seconds',
      'segment_type',
    ],
    ...[
      'confidence_score',
      'source_quality',
      'created_at',
      'updated_at',
      'user_id',
      'analysis_id',
      'model_id',
      'source_fields',
      'code',
    ],
  ],
  // 001-26 to 001-32
  processing_jobs: [
    ...[
      'id',
      'media_file_id',
      'user_id',
      'job_type',
      'status',
      'priority',
      'progress_percentage',
      'estimated_completion_at',
    ],
    ...[
      'job_config',
      'subscription_tier',
      'attempts',
      'max_attempts',
      'retry_at',
      'result_data',
      'error_message',
      'error_code',
    ],
    ...[
      'estimated_cost',
      'actual_cost',
      'cost_currency',
      'queued_at',
      'started_at',
      'completed_at',
      'created_at',
      'updated_at',
    ],
  ],
  // 001-34 to 001-36
  search_history: [
    ...[
      'id',
      'user_id',
      'query_text',
      'query_embedding',
      'filters',
      'sort_by',
      'sort_order',
      'limit_count',
      'offset_count',
    ],
    ...[
      'results_count',
      'response_time_ms',
      'cache_hit',
      'clicked_results',
      'click_through_rate',
      'search_session_id',
    ],
    ...['source_page', 'user_agent', 'ip_address', 'searched_at'],
  ],
  // 001-39 to 001-41
  cost_tracking: [
    ...[
      'id',
      'user_id',
      'service_name',
      'operation_type',
      'amount',
      'currency',
      'billing_unit',
      'units_consumed',
      'media_file_id',
    ],
    ...[
      'processing_job_id',
      'reference_id',
      'billing_period_month',
      'billing_period_year',
      'service_metadata',
      'incurred_at',
      'recorded_at',
    ],
  ],
  // 001-43
  usage_limits: [
    ...[
      'id',
      'tier_name',
      'max_uploads_per_month',
      'max_searches_per_month',
      'max_storage_bytes',
      'max_file_size_bytes',
    ],
    ...[
      'max_video_duration_seconds',
      'priority_level',
      'features_enabled',
      'ai_features_enabled',
      'max_monthly_cost',
    ],
    ...[
      'cost_alert_threshold',
      'api_rate_limit',
      'upload_rate_limit',
      'search_rate_limit',
      'support_level',
      'effective_from',
    ],
    ...['effective_until', 'created_at', 'updated_at'],
  ],
  // 001-48
  audit_logs: [
    ...[
      'id',
      'event_type',
      'event_category',
      'user_id',
      'actor_type',
      'actor_identifier',
      'target_type',
      'target_id',
      'action',
    ],
    ...[
      'description',
      'ip_address',
      'user_agent',
      'session_id',
      'request_id',
      'old_values',
      'new_values',
      'metadata',
      'risk_level',
      'occurred_at',
    ],
  ],
  analyses: [
    ...[
      'id',
      'media_file_id',
      'user_id',
      'version',
      'category',
      'summary',
      'raw_response',
      'provider_used',
      'model_used',
    ],
    ...['trace_id', 'search_vector', 'created_at'],
  ],
  // 002-13, 004-03 to 004-05, C21, C26, C27, C39, C41, C70, C73
  clips: ['start_time_seconds', 'end_time_seconds', 'score', 'rank', 'features', 'status'],
  keyframes: ['media_file_id', 'timestamp_seconds', 'storage_key', 'description', 'created_at'],
  tags: ['id', 'name', 'description', 'created_at'],
  categories: ['id', 'name', 'description', 'created_at'],
  media_tags: ['media_file_id', 'tag_id', 'source'],
  media_categories: ['media_file_id', 'category_id', 'source'],
  media_labels: ['label', 'confidence', 'kind'],
  api_keys: ['prefix', 'key_hash', 'scopes', 'expires_at', 'last_used_at', 'revoked_at'],
  auth_identities: ['provider', 'subject'],
  embedding_models: ['provider', 'name', 'version', 'dimensions', 'state'],
  search_clicks: ['search_id', 'searched_at', 'media_file_id', 'position', 'clicked_at'],
  search_query_vectors: ['query_hash', 'embedding'],
  cost_services: ['name'],
  stripe_events: ['id', 'type', 'payload', 'status'],
  idempotency_keys: ['key', 'request_hash', 'response_status', 'response_body', 'expires_at'],
};

/** Columns of the documents under another name or in another place. */
export const RENAMED_COLUMNS: Record<string, string> = {
  'users.storage_used_mb': 'C02: users.storage_used_bytes',
  'users.storage_quota_mb': 'C08: usage_limits.max_storage_bytes and users.storage_quota_bytes_override',
  'users.api_key': 'C41: api_keys',
  'media_embeddings.embedding_model': 'C45: media_embeddings.model_id',
  'media_embeddings.embedding_version': 'C45: embedding_models.version',
  'media_embeddings.embedding_dimensions': 'C45: embedding_models.dimensions',
};

export const CHECKS: Record<string, string[]> = {
  users: ['valid_email', 'positive_storage', 'positive_usage'],
  media_files: [
    ...[
      'positive_file_size',
      'valid_dimensions',
      'valid_duration',
      'valid_frame_rate',
      'positive_face_count',
      'positive_view_count',
    ],
  ],
  media_embeddings: ['valid_time_range', 'valid_confidence'],
  processing_jobs: ['valid_attempts', 'valid_priority', 'positive_cost', 'job_has_media'],
  search_history: ['positive_results', 'positive_response_time', 'valid_click_rate'],
  cost_tracking: ['positive_amount', 'valid_month', 'valid_year', 'positive_units'],
  usage_limits: ['positive_limits', 'valid_priority', 'valid_cost_threshold'],
  audit_logs: ['audit_logs_check_target'],
};

/** 000-24, 000-25, 001-56, 001-57, 003-06, C01, C13, C18. */
export const FUNCTIONS = [
  ...[
    'app_user_id',
    'update_updated_at_column',
    'update_user_storage',
    'reset_monthly_usage',
    'analyses_search_vector_update',
  ],
  ...['resolve_identity', 'create_search_history_partitions', 'search_documents', 'similar_words'],
];

export const TRIGGERS: Record<string, string> = {
  update_storage_on_media_change: 'media_files',
  update_users_updated_at: 'users',
  update_media_files_updated_at: 'media_files',
  update_processing_jobs_updated_at: 'processing_jobs',
  analyses_search_vector_trigger: 'analyses',
};

export const VIEWS = ['current_usage_limits', 'user_dashboard_summary'];

/** 000-22 and 001-50, 001-51, under the names of 001 (C12 to C15, C19). */
export const POLICIES: Record<string, string> = {
  users_isolation_policy: 'users',
  media_files_user_policy: 'media_files',
  media_embeddings_user_policy: 'media_embeddings',
  processing_jobs_user_policy: 'processing_jobs',
  search_history_user_policy: 'search_history',
  cost_tracking_user_policy: 'cost_tracking',
  audit_logs_user_policy: 'audit_logs',
  admin_access_policy: 'users',
  admin_media_policy: 'media_files',
  admin_audit_policy: 'audit_logs',
};
