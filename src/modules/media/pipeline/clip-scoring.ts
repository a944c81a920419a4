import { truncate } from '../../../infrastructure/ai/clean-text.js';
import type { TranscriptCue } from '../../../infrastructure/media-tools/media-tools.types.js';
import { keyframeRanges, roundSeconds } from './media-times.js';

/** A key frame as clip scoring sees it. */
export interface ScoredKeyframe {
  timestampSeconds: number;
  /** 16 hex digits, or null when unknown. */
  perceptualHash: string | null;
  labels: readonly { name: string; confidence: number }[];
  detectedText: readonly string[];
  description: string | null;
}

/** The parts of a clip's score, each 0..1; null when the whole video gives nothing to judge it by. */
export interface ClipFeatures {
  /** Share of the clip during which somebody speaks (or a subtitle stands). */
  speech: number | null;
  /** How much the picture changes between the clip's key frames. */
  variety: number | null;
  sharpness: number | null;
  /** Neither too dark nor washed out. */
  exposure: number | null;
  /** How much there is to read in the picture. */
  text: number | null;
  /** 1 in the middle of the video, 0 at its ends, where leaders and credits are. */
  position: number;
}

export interface ScoredClip {
  startSeconds: number;
  endSeconds: number;
  /** 0..1, four decimals. */
  score: number;
  /** From 1. */
  rank: number;
  features: ClipFeatures;
  /** What is said first in the clip, or what its first picture shows. */
  description: string | null;
}

/** A clip shorter than this tells nothing; one longer is a scene to be cut into parts. Seconds. */
export const MIN_CLIP_SECONDS = 3;
export const MAX_CLIP_SECONDS = 30;
/** Of a video shorter than this there is nothing to cut out. Seconds. */
export const MIN_VIDEO_SECONDS = 2;
export const MAX_CLIPS = 20;

/** Krawetz' difference hash: up to 10 of 64 bits differ between versions of one picture, more means another picture. */
const SAME_SCENE_BITS = 10;
/** Two unrelated pictures differ in about half of the 64 bits. */
const UNRELATED_BITS = 32;
const HASH = /^[0-9a-f]{16}$/i;
/** About two lines of a title card. */
const FULL_TEXT_CHARACTERS = 80;
const MAX_DESCRIPTION_CHARACTERS = 200;

/**
 * Set by hand, not learned: what is said finds and explains a clip best, then what happens in it. The weights of
 * features that are null are shared out among the others, so that a silent video can reach 1 as well.
 */
const WEIGHTS: Record<keyof ClipFeatures, number> = {
  speech: 0.3,
  variety: 0.2,
  sharpness: 0.15,
  exposure: 0.1,
  text: 0.15,
  position: 0.1,
};

/**
 * Cuts a video into candidate clips along its scenes, scores and ranks them.
 * @param durationSeconds shorter than MIN_VIDEO_SECONDS gives none
 * @returns at most MAX_CLIPS, best first
 */
export function scoreClips(video: {
  durationSeconds: number;
  keyframes: readonly ScoredKeyframe[];
  cues: readonly TranscriptCue[];
}): ScoredClip[] {
  if (!(video.durationSeconds >= MIN_VIDEO_SECONDS)) return [];
  const keyframes = [...video.keyframes].sort((a, b) => a.timestampSeconds - b.timestampSeconds);
  const hasText = keyframes.some(({ detectedText }) => detectedText.length > 0);
  return clipWindows(video.durationSeconds, keyframes)
    .map(([startSeconds, endSeconds]) => {
      const seen = visibleDuring(keyframes, startSeconds, endSeconds, video.durationSeconds);
      const cues = video.cues.filter((cue) => cue.startSeconds < endSeconds && cue.endSeconds > startSeconds);
      const features: ClipFeatures = {
        speech: video.cues.length > 0 ? round(spokenShare(cues, startSeconds, endSeconds)) : null,
        variety: keyframes.length > 1 ? round(varietyOf(seen)) : null,
        sharpness: seen.length > 0 ? round(mean(seen.map(sharpnessOf))) : null,
        exposure: seen.length > 0 ? round(mean(seen.map(exposureOf))) : null,
        text: hasText ? round(textAmount(seen)) : null,
        position: round(1 - ((startSeconds + endSeconds) / video.durationSeconds - 1) ** 2),
      };
      return {
        startSeconds,
        endSeconds,
        score: scoreOf(features),
        features,
        description: describe(cues, seen),
      };
    })
    .sort((a, b) => b.score - a.score || a.startSeconds - b.startSeconds)
    .slice(0, MAX_CLIPS)
    .map((clip, index) => ({ ...clip, rank: index + 1 }));
}

/** Weighted mean of the features that are known; 0..1. */
export function scoreOf(features: ClipFeatures): number {
  let sum = 0;
  let weights = 0;
  for (const [name, weight] of Object.entries(WEIGHTS) as [keyof ClipFeatures, number][]) {
    const value = features[name];
    if (value === null) continue;
    sum += weight * value;
    weights += weight;
  }
  return weights === 0 ? 0 : round(sum / weights);
}

/**
 * Windows along the scenes: scenes shorter than MIN_CLIP_SECONDS are joined with their neighbour, longer ones than
 * MAX_CLIP_SECONDS cut into equal parts. Together they cover the whole video without overlap.
 */
export function clipWindows(
  durationSeconds: number,
  keyframes: readonly ScoredKeyframe[],
): [number, number][] {
  const cuts = sceneStarts(keyframes).filter((seconds) => seconds > 0 && seconds < durationSeconds);
  const scenes: [number, number][] = [];
  let start = 0;
  for (const cut of [...cuts, durationSeconds]) {
    if (cut - start < MIN_CLIP_SECONDS && cut < durationSeconds) continue;
    const previous = scenes.at(-1);
    if (cut - start < MIN_CLIP_SECONDS && previous) previous[1] = cut;
    else scenes.push([start, cut]);
    start = cut;
  }
  return scenes.flatMap(([from, to]) => {
    const parts = Math.ceil((to - from) / MAX_CLIP_SECONDS);
    const edge = (part: number): number => roundSeconds(from + ((to - from) * part) / parts);
    return Array.from({ length: parts }, (_, part): [number, number] => [edge(part), edge(part + 1)]);
  });
}

/** Times at which a key frame looks different from the one before it. */
function sceneStarts(keyframes: readonly ScoredKeyframe[]): number[] {
  return keyframes
    .filter((keyframe, index) => {
      const previous = keyframes[index - 1];
      return (
        previous !== undefined &&
        differingBits(previous.perceptualHash, keyframe.perceptualHash) > SAME_SCENE_BITS
      );
    })
    .map(({ timestampSeconds }) => roundSeconds(timestampSeconds));
}

/** Hamming distance of two 64-bit hashes in hex; 64 when one is unknown. */
export function differingBits(a: string | null, b: string | null): number {
  if (a === null || b === null || !HASH.test(a) || !HASH.test(b)) return 64;
  let difference = BigInt(`0x${a}`) ^ BigInt(`0x${b}`);
  let bits = 0;
  for (; difference > 0n; difference &= difference - 1n) bits += 1;
  return bits;
}

/** The key frames that stand for some part of the window, also one taken before it that still holds. */
function visibleDuring(
  keyframes: readonly ScoredKeyframe[],
  startSeconds: number,
  endSeconds: number,
  durationSeconds: number,
): ScoredKeyframe[] {
  const ranges = keyframeRanges(
    keyframes.map(({ timestampSeconds }) => timestampSeconds),
    durationSeconds,
  );
  const visible = keyframes.filter((_, index) => {
    const range = ranges[index];
    return range !== undefined && range.startSeconds < endSeconds && range.endSeconds > startSeconds;
  });
  // Before the first key frame (a black leader, say) its picture is the nearest there is.
  return visible.length > 0 ? visible : keyframes.slice(0, 1);
}

function spokenShare(cues: readonly TranscriptCue[], startSeconds: number, endSeconds: number): number {
  let spoken = 0;
  let until = startSeconds;
  for (const cue of [...cues].sort((a, b) => a.startSeconds - b.startSeconds)) {
    const from = Math.max(until, cue.startSeconds);
    const to = Math.min(endSeconds, cue.endSeconds);
    if (to > from) {
      spoken += to - from;
      until = to;
    }
  }
  return spoken / (endSeconds - startSeconds);
}

function varietyOf(seen: readonly ScoredKeyframe[]): number {
  const steps = seen.slice(1).map((keyframe, index) => {
    const previous = seen[index]?.perceptualHash ?? null;
    return Math.min(1, differingBits(previous, keyframe.perceptualHash) / UNRELATED_BITS);
  });
  return steps.length === 0 ? 0 : mean(steps);
}

/** 0.5 when the analysis said nothing about it; the labels' confidence is 0.5 at their threshold and 1 when certain. */
function sharpnessOf(keyframe: ScoredKeyframe): number {
  return 0.5 + 0.5 * confidenceOf(keyframe, 'sharp') - 0.5 * confidenceOf(keyframe, 'blurry');
}

function exposureOf(keyframe: ScoredKeyframe): number {
  return (
    1 -
    Math.max(
      confidenceOf(keyframe, 'dark'),
      confidenceOf(keyframe, 'low contrast'),
      0.5 * confidenceOf(keyframe, 'bright'),
    )
  );
}

function confidenceOf(keyframe: ScoredKeyframe, label: string): number {
  return keyframe.labels.find(({ name }) => name === label)?.confidence ?? 0;
}

function textAmount(seen: readonly ScoredKeyframe[]): number {
  const characters = Math.max(0, ...seen.map(({ detectedText }) => detectedText.join(' ').length));
  return Math.min(1, characters / FULL_TEXT_CHARACTERS);
}

function describe(cues: readonly TranscriptCue[], seen: readonly ScoredKeyframe[]): string | null {
  const text = cues.length > 0 ? cues.map((cue) => cue.text).join(' ') : (seen[0]?.description ?? '');
  return text === '' ? null : truncate(text, MAX_DESCRIPTION_CHARACTERS);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function round(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000;
}
