import fc from 'fast-check';
import { clipWindows, differingBits, scoreClips, scoreOf, type ScoredKeyframe } from './clip-scoring.js';

const DARK_HASH = '0000000000000000';
const OTHER_HASH = 'ffffffff00000000';

function keyframe(timestampSeconds: number, overrides: Partial<ScoredKeyframe> = {}): ScoredKeyframe {
  return {
    timestampSeconds,
    perceptualHash: DARK_HASH,
    labels: [],
    detectedText: [],
    description: null,
    ...overrides,
  };
}

it('counts differing bits, and takes an unknown hash as different', () => {
  expect(differingBits(DARK_HASH, OTHER_HASH)).toBe(32);
  expect(differingBits(OTHER_HASH, OTHER_HASH)).toBe(0);
  expect(differingBits('0000000000000001', DARK_HASH)).toBe(1);
  expect(differingBits(null, DARK_HASH)).toBe(64);
});

describe('clipWindows', () => {
  it('cuts where the picture changes', () => {
    const windows = clipWindows(20, [keyframe(0), keyframe(5), keyframe(8, { perceptualHash: OTHER_HASH })]);
    expect(windows).toEqual([
      [0, 8],
      [8, 20],
    ]);
  });

  it('joins scenes shorter than 3 s with a neighbour and cuts those longer than 30 s', () => {
    const cuts = [1, 2, 70].map((time, index) =>
      keyframe(time, { perceptualHash: index % 2 ? DARK_HASH : OTHER_HASH }),
    );
    const windows = clipWindows(71, [keyframe(0), ...cuts]);
    expect(windows[0]?.[0]).toBe(0);
    expect(windows.at(-1)?.[1]).toBe(71);
    for (const [from, to] of windows) {
      expect(to - from).toBeGreaterThanOrEqual(3);
      expect(to - from).toBeLessThanOrEqual(30);
    }
  });

  it('covers every video without gap or overlap, in clips of 3 to 30 s', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3_000, max: 7_200_000 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 7_200_000 }), fc.boolean()), { maxLength: 40 }),
        (durationMs, frames) => {
          const keyframes = frames
            .sort(([a], [b]) => a - b)
            .map(([ms, other]) => keyframe(ms / 1000, { perceptualHash: other ? OTHER_HASH : DARK_HASH }));
          const windows = clipWindows(durationMs / 1000, keyframes);
          expect(windows[0]?.[0]).toBe(0);
          expect(windows.at(-1)?.[1]).toBeCloseTo(durationMs / 1000, 3);
          windows.forEach(([from, to], index) => {
            if (index > 0) expect(from).toBe(windows[index - 1]?.[1]);
            expect(to - from).toBeGreaterThan(2.99);
            expect(to - from).toBeLessThan(30.01);
          });
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('scoreClips', () => {
  it('finds none in a video shorter than 2 s, and one in one of 2.5 s', () => {
    expect(scoreClips({ durationSeconds: 1.9, keyframes: [keyframe(0)], cues: [] })).toEqual([]);
    expect(scoreClips({ durationSeconds: Number.NaN, keyframes: [], cues: [] })).toEqual([]);
    const clips = scoreClips({ durationSeconds: 2.5, keyframes: [keyframe(0)], cues: [] });
    expect(clips).toMatchObject([{ startSeconds: 0, endSeconds: 2.5, rank: 1 }]);
  });

  it('ranks the scene in which somebody speaks before a silent one like it', () => {
    const clips = scoreClips({
      durationSeconds: 20,
      keyframes: [keyframe(0), keyframe(10, { perceptualHash: OTHER_HASH })],
      cues: [{ startSeconds: 11, endSeconds: 19, text: 'The boat leaves.' }],
    });
    expect(clips).toHaveLength(2);
    expect(clips[0]).toMatchObject({
      startSeconds: 10,
      endSeconds: 20,
      rank: 1,
      description: 'The boat leaves.',
    });
    expect(clips[0]?.features.speech).toBe(0.8);
    expect(clips[1]?.features.speech).toBe(0);
  });

  it('counts overlapping cues once', () => {
    const cue = { startSeconds: 0, endSeconds: 5, text: 'a' };
    const [clip] = scoreClips({ durationSeconds: 10, keyframes: [], cues: [cue, { ...cue, text: 'b' }] });
    expect(clip?.features.speech).toBe(0.5);
  });

  it('does not hold it against a silent video that nobody speaks', () => {
    const perfect = keyframe(0, { labels: [{ name: 'sharp', confidence: 1 }] });
    const [clip] = scoreClips({ durationSeconds: 10, keyframes: [perfect], cues: [] });
    expect(clip?.features).toMatchObject({ speech: null, text: null, variety: null });
    expect(clip?.score).toBe(1);
  });

  it('prefers sharp and well lit pictures', () => {
    const score = (label: string): number =>
      scoreClips({
        durationSeconds: 10,
        keyframes: [keyframe(0, { labels: [{ name: label, confidence: 1 }] })],
        cues: [],
      })[0]?.score ?? 0;
    expect(score('sharp')).toBeGreaterThan(score('square format'));
    expect(score('square format')).toBeGreaterThan(score('blurry'));
    expect(score('square format')).toBeGreaterThan(score('dark'));
  });

  it('gives at most 20, ranked without gaps, scores within 0..1', () => {
    const keyframes = Array.from({ length: 40 }, (_, index) =>
      keyframe(index * 10, {
        perceptualHash: index % 2 ? DARK_HASH : OTHER_HASH,
        detectedText: [`line ${index}`],
      }),
    );
    const clips = scoreClips({ durationSeconds: 400, keyframes, cues: [] });
    expect(clips.map(({ rank }) => rank)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    for (const [index, { score }] of clips.entries()) {
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(clips[index - 1]?.score ?? 1);
    }
  });
});

it('shares the weight of unknown features out among the others', () => {
  expect(
    scoreOf({ speech: null, variety: null, sharpness: null, exposure: null, text: null, position: 0.4 }),
  ).toBe(0.4);
  expect(scoreOf({ speech: 1, variety: 1, sharpness: 1, exposure: 1, text: 1, position: 1 })).toBe(1);
  expect(scoreOf({ speech: 1, variety: 0, sharpness: 0, exposure: 0, text: 0, position: 0 })).toBe(0.3);
});
