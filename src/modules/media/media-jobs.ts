import { v7 as uuidv7 } from 'uuid';
import type { FileType } from '../../infrastructure/media-tools/media-tools.types.js';
import type { JobType, NewJob } from '../jobs/jobs.types.js';

/**
 * What each kind of file goes through (design section 6), as job -> the jobs of the same file that must have ended
 * before. A job that failed lets the later ones run: a video without speech, or a picture that the vision provider
 * refused, is still found by its name, its tags and whatever else is known.
 */
const STEPS: Record<FileType, readonly (readonly [JobType, readonly JobType[]])[]> = {
  image: [
    ['media_probe', []],
    ['thumbnail', ['media_probe']],
    ['image_analysis', ['media_probe', 'thumbnail']],
    ['text_analysis', ['image_analysis']],
    ['embedding_generation', ['text_analysis']],
  ],
  video: [
    ['media_probe', []],
    ['thumbnail', ['media_probe']],
    ['video_analysis', ['media_probe']],
    ['transcription', ['media_probe']],
    ['clip_scoring', ['video_analysis', 'transcription']],
    ['text_analysis', ['clip_scoring']],
    // Last of all, so that a file which can be found has its thumbnail.
    ['embedding_generation', ['text_analysis', 'thumbnail']],
  ],
};

/**
 * The jobs of one file in an order in which each comes after what it depends on, with fresh UUIDv7 ids.
 * Pure but for the ids; write them with JobsService.enqueue in the transaction that writes the file.
 */
export function pipelineFor(fileType: FileType, mediaFileId: string): NewJob[] {
  const idOf = new Map<JobType, string>(STEPS[fileType].map(([jobType]) => [jobType, uuidv7()]));
  return STEPS[fileType].map(([jobType, after]) => ({
    id: idOf.get(jobType) as string,
    jobType,
    mediaFileId,
    dependsOn: after.map((dependency) => idOf.get(dependency) as string),
  }));
}
