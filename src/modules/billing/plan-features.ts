import type { SubscriptionTier } from '../../infrastructure/http/principal.js';

/** What the tiers below already include (C46): plans are cumulative, though the documents' rows name only what is new. */
const INHERITED: Record<SubscriptionTier, readonly string[]> = {
  free: [],
  premium: ['basic_upload', 'basic_search', 'basic_analysis'],
  ultimate: [
    'basic_upload',
    'basic_search',
    'basic_analysis',
    'advanced_upload',
    'advanced_search',
    'export',
    'sharing',
    'full_analysis',
    'celebrity_detection',
    'content_moderation',
  ],
};

/**
 * Whether a plan includes a feature. `all_features` and `all_ai_features` are wildcards (C46).
 * @param enabled features_enabled and ai_features_enabled of the plan's row, together
 */
export function planIncludes(tier: SubscriptionTier, enabled: readonly string[], feature: string): boolean {
  return (
    enabled.includes('all_features') ||
    (enabled.includes('all_ai_features') && AI_FEATURES.includes(feature)) ||
    enabled.includes(feature) ||
    INHERITED[tier].includes(feature)
  );
}

const AI_FEATURES = [
  'basic_analysis',
  'full_analysis',
  'celebrity_detection',
  'content_moderation',
  'custom_models',
];
