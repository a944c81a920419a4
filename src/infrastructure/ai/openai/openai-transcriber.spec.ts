import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MediaRejectedError } from '../../media-tools/media-tools.types.js';
import type { TranscriptCue } from '../../media-tools/media-tools.types.js';
import { createAiProviders } from '../create-ai-providers.js';
import type { MediaFunctions } from '../create-ai-providers.js';
import { FakeOpenAiServer } from '../testing/fake-openai-server.js';

let server: FakeOpenAiServer;
let workDir: string;
beforeAll(async () => {
  server = await FakeOpenAiServer.start();
  workDir = await mkdtemp(join(tmpdir(), 'transcriber-'));
});
const defaultTranscript = {
  language: 'english',
  duration: 4,
  segments: [
    { start: 0, end: 2, text: ' Hello from the harbour.' },
    { start: 2, end: 4, text: ' The boats come back at noon.' },
  ],
};
beforeEach(() => {
  server.reset();
  server.transcript = defaultTranscript;
});
afterAll(async () => {
  await server.stop();
  await rm(workDir, { recursive: true });
});

function create(tools: Partial<MediaFunctions> = {}) {
  const pieces: unknown[] = [];
  const { transcriber } = createAiProviders(
    { provider: 'openai', openai: { apiKey: 'sk-test', baseUrl: server.baseUrl } },
    {
      extractSubtitles: async () => [],
      parseSubtitleFile: async () => [],
      extractAudio: async (path, outPath, { startSeconds, durationSeconds }) => {
        pieces.push({ path, startSeconds, durationSeconds });
        await writeFile(outPath, 'sound');
      },
      ...tools,
    },
  );
  return { transcriber, pieces };
}
const input = (durationSeconds: number, more: object = {}) => ({
  path: '/v.mp4',
  workDir,
  durationSeconds,
  hasAudio: true,
  subtitleTracks: [],
  ...more,
});

describe('OpenAiTranscriber', () => {
  it('gives time codes, the language as a code, and books the seconds', async () => {
    const { transcriber, pieces } = create();
    const { transcript, usage } = await transcriber.transcribe(input(4));
    expect(transcript).toEqual({
      source: 'speech',
      language: 'en',
      cues: [
        { startSeconds: 0, endSeconds: 2, text: 'Hello from the harbour.' },
        { startSeconds: 2, endSeconds: 4, text: 'The boats come back at noon.' },
      ],
    });
    expect(usage).toMatchObject({
      service: 'openai_transcription',
      operation: 'transcribe',
      model: 'whisper-1',
      billingUnit: 'per_second',
      units: 4,
      amount: '0.0004',
      referenceId: expect.stringMatching(/^req_/) as string,
    });
    expect(pieces).toEqual([{ path: '/v.mp4', startSeconds: 0, durationSeconds: 4 }]);
    expect(server.requests[0]).toMatchObject({
      path: '/v1/audio/transcriptions',
      body: { model: 'whisper-1', response_format: 'verbose_json', file: { name: 'speech-0.mp3', bytes: 5 } },
    });
    expect(await readdir(workDir)).toEqual([]);
  });

  it('sends a long video in pieces and shifts their times', async () => {
    const { transcriber, pieces } = create();
    server.transcript = { ...defaultTranscript, duration: 1_200 };
    const { transcript, usage } = await transcriber.transcribe(input(2_500));
    expect(pieces.map((piece) => (piece as { startSeconds: number }).startSeconds)).toEqual([
      0, 1_200, 2_400,
    ]);
    expect(transcript!.cues.map(({ startSeconds }) => startSeconds)).toEqual([
      0, 2, 1_200, 1_202, 2_400, 2_402,
    ]);
    // The last piece has 100 s; a server that claims 1,200 of them is not believed: 101 s are charged.
    expect(usage).toMatchObject({ units: 1_200 + 1_200 + 101, estimated: true });
    expect(Number(usage.amount)).toBeLessThanOrEqual(
      Number(transcriber.estimate({ durationSeconds: 2_500 }).amount),
    );
  });

  it('charges the pieces that were done when a later one fails', async () => {
    const { transcriber } = create();
    server.transcript = { ...defaultTranscript, duration: 1_200 };
    server.setFault('server-error', 1, 1);
    await expect(transcriber.transcribe(input(1_300))).rejects.toMatchObject({
      code: 'provider-unavailable',
      usage: { units: 1_200, amount: '0.12' },
    });
    expect(await readdir(workDir)).toEqual([]);
  });

  it('takes subtitles where there are any, and pays nothing', async () => {
    const cues: TranscriptCue[] = [{ startSeconds: 0, endSeconds: 1, text: 'Written.' }];
    const { transcriber, pieces } = create({ extractSubtitles: async () => cues });
    const { transcript, usage } = await transcriber.transcribe(
      input(4, { subtitleTracks: [{ index: 2, codec: 'mov_text', language: 'eng' }] }),
    );
    expect(transcript).toEqual({ source: 'subtitle-track', language: 'en', cues });
    expect(usage.amount).toBe('0');
    expect([pieces, server.requests]).toEqual([[], []]);
  });

  it('listens when the subtitles cannot be read; without sound it says what is wrong', async () => {
    const { transcriber } = create({
      parseSubtitleFile: async () => Promise.reject(new Error('binary file')),
    });
    const spoken = await transcriber.transcribe(input(4, { sidecarPath: '/x.srt' }));
    expect(spoken.transcript!.source).toBe('speech');
    await expect(
      transcriber.transcribe(input(4, { sidecarPath: '/x.srt', hasAudio: false })),
    ).rejects.toMatchObject({
      code: 'provider-bad-input',
    });
  });

  it('gives null for silence, with and without a sound track', async () => {
    const { transcriber } = create();
    expect(await transcriber.transcribe(input(4, { hasAudio: false }))).toMatchObject({
      transcript: null,
      usage: { amount: '0' },
    });
    // What Whisper makes of silence: invented words that it does not believe in itself.
    server.transcript = {
      language: 'english',
      duration: 4,
      segments: [{ start: 0, end: 4, text: 'Thanks for watching!', no_speech_prob: 0.9, avg_logprob: -1.3 }],
    };
    expect(await transcriber.transcribe(input(4))).toMatchObject({
      transcript: null,
      usage: { amount: '0.0004' },
    });
    server.transcript = { duration: 4, text: '', segments: [] };
    expect((await transcriber.transcribe(input(4))).transcript).toBeNull();
  });

  it('keeps the words of a server that gives no segments', async () => {
    server.transcript = { language: 'de', duration: 4, text: 'Guten Tag', segments: undefined };
    const { transcript } = await create().transcriber.transcribe(input(4));
    expect(transcript).toEqual({
      source: 'speech',
      language: 'de',
      cues: [{ startSeconds: 0, endSeconds: 4, text: 'Guten Tag' }],
    });
  });

  it.each([
    ['german', 'de'],
    ['Japanese', 'ja'],
    ['haitian creole', 'ht'],
    ['pt', 'pt'],
    ['gibberish', null],
    [undefined, null],
  ])('language %j is %j', async (language, code) => {
    server.transcript = { ...defaultTranscript, language };
    expect((await create().transcriber.transcribe(input(4))).transcript!.language).toBe(code);
  });

  it('cleans what is said and keeps times within the video', async () => {
    server.transcript = {
      duration: 4,
      segments: [
        { start: 3, end: 99, text: `late\u0000\u202e ${'x'.repeat(5_000)}` },
        { start: -5, end: 1, text: '<b>early</b>' },
        { start: 9, end: 10, text: 'after the end' },
      ],
    };
    const { transcript } = await create().transcriber.transcribe(input(4));
    expect(transcript!.cues).toEqual([
      { startSeconds: 0, endSeconds: 1, text: '<b>early</b>' },
      { startSeconds: 3, endSeconds: 4, text: expect.stringMatching(/^late x+…$/) as string },
    ]);
    expect(transcript!.cues[1]!.text).toHaveLength(1_000);
  });

  it.each([
    [new MediaRejectedError('corrupt-media', 'there is no sound'), false],
    [new Error('ffmpeg was killed'), true],
  ])('says that the sound cannot be taken out: %s', async (cause, retryable) => {
    const { transcriber } = create({ extractAudio: async () => Promise.reject(cause) });
    await expect(transcriber.transcribe(input(4))).rejects.toMatchObject({
      code: 'provider-bad-input',
      retryable,
      cause,
      message: expect.stringContaining(cause.message) as string,
    });
  });

  it('stops when it is told to', async () => {
    const { transcriber } = create({ extractAudio: async () => Promise.reject(new Error('aborted')) });
    await expect(transcriber.transcribe(input(4), AbortSignal.abort())).rejects.toMatchObject({
      code: 'provider-cancelled',
    });
  });
});
