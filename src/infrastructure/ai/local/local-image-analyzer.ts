import type { ImageAnalysis, ImageAnalyzer, PricedUsage } from '../ai.types.js';
import { cancelledError } from '../provider-errors.js';
import { COST_SERVICES } from '../vocabulary.js';
import { dominantColors } from './colors.js';
import { freeUsage } from './free-usage.js';
import { describePicture, labelPicture } from './picture-labels.js';
import { differenceHash, readPictureSamples } from './picture-reader.js';
import { colorStatistics, structureStatistics } from './picture-statistics.js';
import type { OcrOptions } from './tesseract.js';
import { TesseractOcr } from './tesseract.js';

/** What is measured in a picture, whoever else looks at it. */
export type MeasuredPicture = Pick<ImageAnalysis, 'labels' | 'colors' | 'perceptualHash'> & {
  /** The numbers behind the labels. */
  measurements: Record<string, number>;
};

/**
 * Colours, light, composition and perceptual hash of one picture.
 * @throws ProviderError `provider-bad-input`
 */
export async function measurePicture(path: string): Promise<MeasuredPicture> {
  const samples = await readPictureSamples(path);
  const statistics = {
    ...colorStatistics(samples.colors),
    ...structureStatistics(samples.gray.pixels, samples.gray.width, samples.gray.height),
  };
  const colors = dominantColors(samples.colors);
  return {
    labels: labelPicture(samples, statistics, colors),
    colors,
    perceptualHash: differenceHash(samples.hashPixels),
    measurements: Object.fromEntries(
      Object.entries(statistics).map(([name, value]) => [name, Math.round(value * 10_000) / 10_000]),
    ),
  };
}

/**
 * Looks at pictures with no network and no model's weights: it measures, and reads text where Tesseract is installed.
 * It recognises neither things nor people and says so (`raw.objects`, `raw.faces`: `unavailable`).
 */
export class LocalImageAnalyzer implements ImageAnalyzer {
  readonly modelName = 'local-image-measurement';
  private readonly ocr: TesseractOcr;

  constructor(options: OcrOptions = {}) {
    this.ocr = new TesseractOcr(options);
  }

  estimate(): PricedUsage {
    return freeUsage(COST_SERVICES.localAnalysis, 'analyze_image', this.modelName);
  }

  /** @throws ProviderError `provider-bad-input`, `provider-cancelled` */
  async analyze(
    input: { path: string; language?: string },
    signal?: AbortSignal,
  ): Promise<{ analysis: ImageAnalysis; usage: PricedUsage }> {
    if (signal?.aborted) throw cancelledError();
    const { labels, colors, perceptualHash, measurements } = await measurePicture(input.path);
    const ocr = await this.ocr.read(input.path, input.language, signal);
    const analysis: ImageAnalysis = {
      labels,
      text: ocr.lines,
      summary: describePicture(labels, colors, ocr.lines),
      facesCount: 0,
      contentWarnings: [],
      colors,
      perceptualHash,
      raw: {
        ocr: ocr.status,
        ocrLanguages: ocr.languages,
        faces: 'unavailable',
        objects: 'unavailable',
        measurements,
      },
    };
    return { analysis, usage: this.estimate() };
  }
}
