import { aiFeaturesOf } from './ai-features.js';

it.each([
  ['free', ['basic_upload'], ['basic_analysis'], { contentWarnings: false, faces: false }],
  ['premium', ['export'], ['full_analysis', 'content_moderation'], { contentWarnings: true, faces: true }],
  ['premium', ['export'], ['full_analysis'], { contentWarnings: false, faces: true }],
  ['ultimate', ['all_features'], ['all_ai_features'], { contentWarnings: true, faces: true }],
] as const)('the %s plan with %j and %j', (tierName, featuresEnabled, aiFeaturesEnabled, expected) => {
  const limits = {
    tierName,
    featuresEnabled: [...featuresEnabled],
    aiFeaturesEnabled: [...aiFeaturesEnabled],
  };
  expect(aiFeaturesOf(limits)).toEqual(expected);
});
