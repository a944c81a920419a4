import { planIncludes } from './plan-features.js';

/** The rows of 001-44 to 001-46. */
const ROWS = {
  free: ['basic_upload', 'basic_search', 'basic_analysis'],
  premium: [
    'advanced_upload',
    'advanced_search',
    'export',
    'sharing',
    'full_analysis',
    'celebrity_detection',
    'content_moderation',
  ],
  ultimate: ['all_features', 'all_ai_features', 'custom_models', 'api_access'],
} as const;

describe('planIncludes (C46)', () => {
  // feature: free, premium, ultimate
  it.each([
    ['basic_upload', true, true, true],
    ['basic_search', true, true, true],
    ['basic_analysis', true, true, true],
    ['advanced_upload', false, true, true],
    ['advanced_search', false, true, true],
    ['export', false, true, true],
    ['sharing', false, true, true],
    ['full_analysis', false, true, true],
    ['celebrity_detection', false, true, true],
    ['content_moderation', false, true, true],
    ['custom_models', false, false, true],
    ['api_access', false, false, true],
  ])('%s: free %s, premium %s, ultimate %s', (feature, free, premium, ultimate) => {
    expect([
      planIncludes('free', ROWS.free, feature),
      planIncludes('premium', ROWS.premium, feature),
      planIncludes('ultimate', ROWS.ultimate, feature),
    ]).toEqual([free, premium, ultimate]);
  });

  it('all_ai_features opens the AI features only', () => {
    expect(planIncludes('free', ['all_ai_features'], 'full_analysis')).toBe(true);
    expect(planIncludes('free', ['all_ai_features'], 'export')).toBe(false);
  });
});
