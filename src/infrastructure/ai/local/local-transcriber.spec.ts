import { LocalTranscriber, cleanCues, twoLetterLanguage } from './local-transcriber.js';
import type { SubtitleFunctions } from './local-transcriber.js';

const cue = (startSeconds: number, endSeconds: number, text: string) => ({ startSeconds, endSeconds, text });
const base = {
  path: '/videos/a.mp4',
  workDir: '/jobs/folder',
  durationSeconds: 60,
  hasAudio: true,
  subtitleTracks: [],
};
const track = (index: number, language: string | null = null) => ({ index, codec: 'mov_text', language });

/** Media tools that know the given tracks and side-car files; everything else is broken. */
function mediaTools(
  tracks: Record<number, ReturnType<typeof cue>[]>,
  sidecars: Record<string, ReturnType<typeof cue>[]> = {},
) {
  const calls: unknown[][] = [];
  const tools: SubtitleFunctions = {
    extractSubtitles: async (path, index, workDir) => {
      calls.push(['track', path, index, workDir]);
      return tracks[index] ?? Promise.reject(new Error(`track ${index} is broken`));
    },
    parseSubtitleFile: async (path) => {
      calls.push(['sidecar', path]);
      return sidecars[path] ?? Promise.reject(new Error('not a subtitle file'));
    },
  };
  return { calls, transcriber: new LocalTranscriber(tools) };
}

describe('LocalTranscriber', () => {
  it('has nothing to say about a video without subtitles: it does not listen', async () => {
    const { transcriber, calls } = mediaTools({});
    const { transcript, usage } = await transcriber.transcribe(base);
    expect(transcript).toBeNull();
    expect(calls).toEqual([]);
    expect(usage).toMatchObject({ service: 'local_analysis', operation: 'transcribe', amount: '0' });
  });

  it('prefers the uploaded file to the tracks', async () => {
    const { transcriber, calls } = mediaTools(
      { 2: [cue(0, 1, 'track')] },
      { '/s.srt': [cue(1, 2, 'Der Hund ist im Haus und er schläft')] },
    );
    const { transcript } = await transcriber.transcribe({
      ...base,
      sidecarPath: '/s.srt',
      subtitleTracks: [track(2, 'eng')],
    });
    expect(transcript).toEqual({
      source: 'sidecar',
      language: 'de',
      cues: [cue(1, 2, 'Der Hund ist im Haus und er schläft')],
    });
    expect(calls).toEqual([['sidecar', '/s.srt']]);
  });

  it('takes the first track with words, whatever happens to the others', async () => {
    const { transcriber, calls } = mediaTools({ 3: [], 4: [cue(0, 2, 'Hello'), cue(2, 3, 'World')] });
    const { transcript } = await transcriber.transcribe({
      ...base,
      sidecarPath: '/broken.srt',
      subtitleTracks: [track(2), track(3), track(4, 'eng')],
    });
    expect(transcript).toMatchObject({ source: 'subtitle-track', language: 'en' });
    expect(calls).toHaveLength(4);
    expect(calls.at(-1)).toEqual(['track', '/videos/a.mp4', 4, '/jobs/folder']);
  });

  it('says so when none of the subtitles can be read', async () => {
    const { transcriber } = mediaTools({});
    await expect(
      transcriber.transcribe({ ...base, sidecarPath: '/x.srt', subtitleTracks: [track(1)] }),
    ).rejects.toMatchObject({
      code: 'provider-bad-input',
      retryable: false,
      message: 'the subtitles cannot be read: not a subtitle file',
    });
  });

  it('stops when it is told to', async () => {
    const { transcriber } = mediaTools({ 1: [cue(0, 1, 'a')] });
    const aborted = transcriber.transcribe({ ...base, subtitleTracks: [track(1)] }, AbortSignal.abort());
    await expect(aborted).rejects.toMatchObject({ code: 'provider-cancelled' });
  });
});

describe('cleanCues', () => {
  it('keeps times within the video, sorts, rounds to milliseconds and drops what is empty', () => {
    expect(
      cleanCues(
        [
          cue(58, 90, 'late'),
          cue(-2, 1.00049, ' early\u0000 '),
          cue(70, 80, 'after the end'),
          cue(5, 5, 'no length'),
          cue(6, 4, 'backwards'),
          cue(NaN, 4, 'no time'),
          cue(3, 4, ' \n'),
        ],
        60,
      ),
    ).toEqual([cue(0, 1, 'early'), cue(58, 60, 'late')]);
  });

  it('caps the number and the length', () => {
    const cues = cleanCues(
      Array.from({ length: 25_000 }, (_, index) => cue(index, index + 1, 'x'.repeat(1_500))),
      0,
    );
    expect(cues).toHaveLength(20_000);
    expect(cues[0]!.text).toHaveLength(1_000);
  });
});

it.each([
  ['eng', 'en'],
  ['ger', 'de'],
  ['pt-BR', 'pt'],
  ['und', null],
  ['not a language', null],
  ['', null],
  [null, null],
])('language %j is %j', (code, language) => {
  expect(twoLetterLanguage(code)).toBe(language);
});
