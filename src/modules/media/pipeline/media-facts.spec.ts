import type { ImageProbe, VideoProbe } from '../../../infrastructure/media-tools/media-tools.types.js';
import { factsOf, parseTakenAt, probeColumns } from './media-facts.js';

const image: ImageProbe = {
  fileType: 'image',
  mimeType: 'image/jpeg',
  width: 30,
  height: 20,
  orientation: 6,
  hasAlpha: false,
  frames: 1,
  exif: { takenAt: '2008-05-30T15:56:01', cameraMake: 'Canon', cameraModel: 'Canon EOS 40D', iso: 100 },
};
const video: VideoProbe = {
  fileType: 'video',
  mimeType: 'video/mp4',
  width: 640,
  height: 360,
  durationSeconds: 12.34567,
  frameRate: 29.97003,
  rotationDegrees: 90,
  hasAudio: true,
  videoCodec: 'h264',
  audioCodec: 'aac',
  subtitleTracks: [{ index: 2, codec: 'mov_text', language: 'eng' }],
  tags: { title: 'A walk', creation_time: '2024-03-01T10:00:00.000000Z' },
};

it('fills the columns of a picture', () => {
  expect(probeColumns(image)).toEqual({
    width: 30,
    height: 20,
    durationSeconds: null,
    frameRate: null,
    hasAudio: false,
    orientation: 6,
    takenAt: new Date('2008-05-30T15:56:01Z'),
    exif: image.exif,
  });
});

it('fills the columns of a video', () => {
  expect(probeColumns(video)).toMatchObject({
    durationSeconds: 12.346,
    frameRate: 29.97,
    hasAudio: true,
    orientation: null,
    takenAt: new Date('2024-03-01T10:00:00Z'),
    exif: { videoCodec: 'h264', rotationDegrees: 90, subtitleTracks: video.subtitleTracks, tags: video.tags },
  });
});

it.each([0, -1, 90_000, Number.NaN])('knows no frame rate of %d', (frameRate) => {
  expect(probeColumns({ ...video, frameRate }).frameRate).toBeNull();
});

it.each(['1970-01-01T00:00:00Z', '1904-01-01T00:00:00Z', 'soon'])(
  'takes no date from a clock never set: %s',
  (time) => {
    expect(probeColumns({ ...video, tags: { creation_time: time } }).takenAt).toBeNull();
  },
);

it.each([
  ['2008-05-30T15:56:01', '2008-05-30T15:56:01.000Z'],
  ['2008-05-30T15:56:01+02:00', '2008-05-30T13:56:01.000Z'],
  ['2008-05-30', '2008-05-30T00:00:00.000Z'],
  ['2008-13-45T99:00:00', undefined],
  ['0000-00-00T00:00:00', undefined],
  ['0001-01-01T00:00:00', undefined],
  [undefined, undefined],
])('reads the time %s', (text, expected) => {
  expect(parseTakenAt(text)?.toISOString()).toBe(expected);
});

it('tells the text analysis what is known of a picture', () => {
  const facts = factsOf({
    exif: { ...image.exif, description: 'Lunch', artist: 'Ann' },
    takenAt: new Date('2008-05-30T15:56:01Z'),
    originalFilename: 'beach.jpg',
  });
  expect(facts).toEqual(['Canon EOS 40D', 'taken 2008-05-30', 'Lunch', 'by Ann', 'file name beach.jpg']);
});

it('joins maker and model when the model does not name the maker, and survives odd EXIF', () => {
  expect(
    factsOf({ exif: { cameraMake: 'SONY', cameraModel: 'DSC-1' }, takenAt: null, originalFilename: 'a' }),
  ).toContain('SONY DSC-1');
  expect(factsOf({ exif: null, takenAt: null, originalFilename: 'a' })).toEqual(['file name a']);
});
