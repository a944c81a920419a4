import fc from 'fast-check';
import { isBlack, selectKeyframes } from './keyframe-selection.js';

const grey = (value: number) => new Uint8Array(256).fill(value);
const at = (timestampSeconds: number, value: number, sceneScore = 0) => ({
  timestampSeconds,
  sceneScore,
  signature: grey(value),
});

describe('selectKeyframes', () => {
  it('keeps one frame of a static video, whatever the sensor noise', () => {
    const noisy = [0, 5, 10, 15].map((time, index) => at(time, 100 + (index % 2)));
    expect(selectKeyframes(noisy, { durationSeconds: 20, max: 40, minGapSeconds: 1 })).toEqual([0]);
  });

  it('keeps a frame in which a small part changed, such as a line of a slide', () => {
    const slide = at(5, 200);
    slide.signature[17] = 150;
    expect(selectKeyframes([at(0, 200), slide], { durationSeconds: 10, max: 40, minGapSeconds: 1 })).toEqual([
      0, 1,
    ]);
  });

  it('leaves black frames out unless there is nothing else', () => {
    const faded = [at(0, 2), at(5, 120), at(10, 3)];
    expect(selectKeyframes(faded, { durationSeconds: 12, max: 40, minGapSeconds: 1 })).toEqual([1]);
    expect(selectKeyframes([at(0, 2), at(5, 2)], { durationSeconds: 10, max: 40, minGapSeconds: 1 })).toEqual(
      [0],
    );
    expect(selectKeyframes([], { durationSeconds: 10, max: 40, minGapSeconds: 1 })).toEqual([]);
  });

  it('does not take a night picture for a black one', () => {
    const stars = grey(5);
    for (let index = 0; index < 256; index += 32) stars[index] = 250;
    expect(isBlack({ signature: stars })).toBe(false);
    expect(isBlack({ signature: grey(5) })).toBe(true);
  });

  it('prefers a cut to the regular frame shortly before it', () => {
    const frames = [at(0, 50), at(5, 60, 0.01), at(5.4, 200, 0.8), at(6, 120, 0.5), at(9, 90, 0.7)];
    expect(selectKeyframes(frames, { durationSeconds: 10, max: 40, minGapSeconds: 1 })).toEqual([0, 2, 4]);
  });

  it('thins a long video to the clearest cut of each part', () => {
    const frames = Array.from({ length: 100 }, (_, index) =>
      at(index, index % 2 ? 50 : 200, index % 10 === 7 ? 0.9 : 0.1),
    );
    const chosen = selectKeyframes(frames, { durationSeconds: 100, max: 10, minGapSeconds: 1 });
    expect(chosen).toEqual([7, 17, 27, 37, 47, 57, 67, 77, 87, 97]);
  });

  it('never gives more than asked for, in order, and at least one', () => {
    const frame = fc.record({
      timestampSeconds: fc.double({ min: 0, max: 5_000, noNaN: true }),
      sceneScore: fc.double({ min: 0, max: 1, noNaN: true }),
      signature: fc.nat(255).map(grey),
    });
    fc.assert(
      fc.property(
        fc.array(frame, { minLength: 1, maxLength: 80 }),
        fc.integer({ min: 1, max: 40 }),
        fc.double({ min: 0, max: 5_000, noNaN: true }),
        (frames, max, durationSeconds) => {
          const ordered = [...frames].sort((a, b) => a.timestampSeconds - b.timestampSeconds);
          const chosen = selectKeyframes(ordered, { durationSeconds, max, minGapSeconds: 1 });
          expect(chosen.length).toBeGreaterThanOrEqual(1);
          expect(chosen.length).toBeLessThanOrEqual(max);
          expect(chosen).toEqual([...new Set(chosen)].sort((a, b) => a - b));
        },
      ),
    );
  });
});
