import type { PlanLimits } from '../../billing/usage.service.js';
import { planIncludes } from '../../billing/plan-features.js';

/** Which parts of an analysis a plan keeps. Colours, labels, text and summary belong to every plan. */
export interface AiFeatures {
  /** `content_moderation`: content warnings. */
  contentWarnings: boolean;
  /** `full_analysis`: how many faces there are. */
  faces: boolean;
}

/**
 * What of an analysis is kept under a plan. It is left out before anything is stored, so that no route can show it;
 * after a change of plan the file has to be analysed again.
 */
export function aiFeaturesOf(
  limits: Pick<PlanLimits, 'tierName' | 'aiFeaturesEnabled' | 'featuresEnabled'>,
): AiFeatures {
  const enabled = [...limits.featuresEnabled, ...limits.aiFeaturesEnabled];
  return {
    contentWarnings: planIncludes(limits.tierName, enabled, 'content_moderation'),
    faces: planIncludes(limits.tierName, enabled, 'full_analysis'),
  };
}
