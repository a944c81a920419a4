import type { ImageAnalysis } from '../../../infrastructure/ai/ai.types.js';
import { buildEmbeddingDocuments } from '../pipeline/embedding-documents.js';
import { withinPlan } from '../pipeline/handlers/image-analysis.handler.js';
import { titleFromFilename } from '../text-rules.js';

/**
 * The text that a picture would be embedded with if it were stored as it is, without title, tags and categories of its
 * owner: words of its file name, what is written into the file, and what the analysis sees and reads.
 * @returns never empty
 */
export function queryPictureText(
  picture: { originalFilename: string; description: string | null },
  analysis: ImageAnalysis,
): string {
  // Faces and warnings are no part of the text, whatever the plan keeps of them.
  const found = withinPlan(analysis, { contentWarnings: false, faces: false });
  const [document] = buildEmbeddingDocuments({
    fileType: 'image',
    title: titleFromFilename(picture.originalFilename),
    originalFilename: picture.originalFilename,
    description: picture.description,
    labels: found.labels,
    tags: [],
    categories: [],
    summary: found.summary,
    detectedText: found.text,
    transcript: null,
    durationSeconds: null,
    keyframes: [],
    cues: [],
    cueSource: null,
    analysisIds: { full: null, visual: null, audio: null },
  });
  if (document === undefined) throw new Error('a picture has a main document');
  return document.text;
}
