import { v7 as uuidv7 } from 'uuid';
import { JOB_CATALOGUE } from '../jobs/jobs.types.js';
import { pipelineFor } from './media-jobs.js';

describe('pipelineFor', () => {
  const mediaFileId = uuidv7();
  const described = (fileType: 'image' | 'video'): Record<string, string[]> => {
    const jobs = pipelineFor(fileType, mediaFileId);
    const typeOf = new Map(jobs.map((job) => [job.id, job.jobType]));
    return Object.fromEntries(
      jobs.map((job) => [job.jobType, job.dependsOn?.map((id) => String(typeOf.get(id))) ?? []]),
    );
  };

  it('takes an image from the probe to its embedding', () => {
    expect(described('image')).toEqual({
      media_probe: [],
      thumbnail: ['media_probe'],
      image_analysis: ['media_probe', 'thumbnail'],
      text_analysis: ['image_analysis'],
      embedding_generation: ['text_analysis'],
    });
  });

  it('looks at and listens to a video side by side, then scores its clips', () => {
    expect(described('video')).toEqual({
      media_probe: [],
      thumbnail: ['media_probe'],
      video_analysis: ['media_probe'],
      transcription: ['media_probe'],
      clip_scoring: ['video_analysis', 'transcription'],
      text_analysis: ['clip_scoring'],
      embedding_generation: ['text_analysis', 'thumbnail'],
    });
  });

  it.each(['image', 'video'] as const)(
    'gives every %s job an id of its own, after what it waits for',
    (fileType) => {
      const jobs = pipelineFor(fileType, mediaFileId);
      const seen = new Set<string>();
      for (const job of jobs) {
        expect(job.mediaFileId).toBe(mediaFileId);
        for (const dependency of job.dependsOn ?? []) expect(seen).toContain(dependency);
        expect(seen).not.toContain(job.id);
        seen.add(job.id);
      }
      expect(pipelineFor(fileType, mediaFileId)[0]?.id).not.toBe(jobs[0]?.id);
    },
  );

  it('uses every kind of job of the catalogue', () => {
    const used = new Set(
      [...pipelineFor('image', mediaFileId), ...pipelineFor('video', mediaFileId)].map((job) => job.jobType),
    );
    // `reindex` is the operator's: it belongs to a change of the embedding model and not to a file's pipeline.
    const others = Object.keys(JOB_CATALOGUE).filter((jobType) => jobType !== 'reindex');
    expect([...used].sort()).toEqual(others.sort());
  });
});
