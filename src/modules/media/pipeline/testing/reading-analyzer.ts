import type { ImageAnalyzer, PricedUsage } from '../../../../infrastructure/ai/ai.types.js';

const USAGE: PricedUsage = {
  service: 'local_analysis',
  operation: 'analyze_image',
  model: 'reader',
  billingUnit: 'per_request',
  units: 1,
  amount: '0',
  currency: 'USD',
};

/** Reads text, as Tesseract or a vision model would, whatever is installed on this machine. */
export const readingAnalyzer: ImageAnalyzer = {
  modelName: 'reader',
  estimate: () => USAGE,
  analyze: async () => ({
    usage: { ...USAGE, referenceId: 'trace-1' },
    analysis: {
      labels: [
        { name: 'Lighthouse', confidence: 0.7, kind: 'object' },
        { name: 'lighthouse', confidence: 0.95, kind: 'object' },
        { name: 'blue', confidence: 0.5, kind: 'color' },
      ],
      text: ['OPEN DAILY', 'open daily', 'nul\u0000byte'],
      summary: 'A lighthouse by the sea.',
      facesCount: 2,
      contentWarnings: ['violence'],
      colors: [{ name: 'blue', hex: '#1E50C8', share: 0.5 }],
      perceptualHash: '00ff00ff00ff00ff',
      raw: { odd: 'a\u0000b', bad: Number.NaN },
    },
  }),
};
