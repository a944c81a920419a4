import { parseFfprobe } from './ffprobe-output.js';

const video = {
  index: 0,
  codec_type: 'video',
  codec_name: 'h264',
  width: 1440,
  height: 1080,
  avg_frame_rate: '30000/1001',
  disposition: { attached_pic: 0 },
};
const parse = (streams: object[], format: object = { duration: '12.5' }) =>
  parseFfprobe(JSON.stringify({ streams, format }), 'video/mp4');

describe('parseFfprobe', () => {
  it('reads size, rate and duration', () => {
    expect(parse([video])).toEqual({
      fileType: 'video',
      mimeType: 'video/mp4',
      width: 1440,
      height: 1080,
      durationSeconds: 12.5,
      frameRate: 30000 / 1001,
      rotationDegrees: 0,
      hasAudio: false,
      videoCodec: 'h264',
      audioCodec: null,
      subtitleTracks: [],
      tags: {},
    });
  });

  it.each([
    ['display matrix, counter-clockwise', { side_data_list: [{}, { rotation: -90 }] }, 90],
    ['display matrix, the other way', { side_data_list: [{ rotation: 90 }] }, 270],
    ['tag of older builds, clockwise', { tags: { rotate: '90' } }, 90],
    ['upside down', { side_data_list: [{ rotation: 180 }] }, 180],
    ['none', {}, 0],
    ['nonsense', { tags: { rotate: 'left' } }, 0],
  ])('applies a rotation: %s', (_, extra, rotationDegrees) => {
    const [width, height] = rotationDegrees % 180 === 0 ? [1440, 1080] : [1080, 1440];
    expect(parse([{ ...video, ...extra }])).toMatchObject({ width, height, rotationDegrees });
  });

  it('makes anamorphic pixels square before it turns them', () => {
    expect(parse([{ ...video, sample_aspect_ratio: '4:3' }])).toMatchObject({ width: 1920, height: 1080 });
    expect(parse([{ ...video, sample_aspect_ratio: '4:3', tags: { rotate: '90' } }])).toMatchObject({
      width: 1080,
      height: 1920,
    });
    expect(parse([{ ...video, sample_aspect_ratio: '100000:1' }])).toMatchObject({ width: 1440 });
    expect(parse([{ ...video, sample_aspect_ratio: '0:1' }])).toMatchObject({ width: 1440 });
  });

  it('lists text subtitles only, with a language when it is stated', () => {
    const subtitle = (index: number, codec_name: string, language?: string) => ({
      index,
      codec_type: 'subtitle',
      codec_name,
      tags: { language },
    });
    const { subtitleTracks } = parse([
      video,
      subtitle(2, 'mov_text', 'ENG'),
      subtitle(3, 'hdmv_pgs_subtitle', 'ger'),
      subtitle(4, 'subrip', 'und'),
      subtitle(5, 'ass'),
      subtitle(6, 'webvtt', '<script>'),
    ]);
    expect(subtitleTracks).toEqual([
      { index: 2, codec: 'mov_text', language: 'eng' },
      { index: 4, codec: 'subrip', language: null },
      { index: 5, codec: 'ass', language: null },
      { index: 6, codec: 'webvtt', language: null },
    ]);
  });

  it('does not take cover art for a video', () => {
    const sound = { index: 1, codec_type: 'audio', codec_name: 'mp3' };
    const cover = { ...video, codec_name: 'mjpeg', disposition: { attached_pic: 1 } };
    expect(() => parse([cover, sound])).toThrow(expect.objectContaining({ code: 'video-without-streams' }));
    expect(() => parse([])).toThrow(expect.objectContaining({ code: 'video-without-streams' }));
    expect(parse([sound, cover, { ...video, index: 2 }])).toMatchObject({
      videoCodec: 'h264',
      audioCodec: 'mp3',
    });
  });

  it('treats missing and senseless values as unknown or damaged', () => {
    expect(parse([{ ...video, avg_frame_rate: '0/0', r_frame_rate: '25/1' }], {})).toMatchObject({
      frameRate: 25,
      durationSeconds: 0,
    });
    expect(parse([{ ...video, avg_frame_rate: undefined }], { duration: 'N/A' })).toMatchObject({
      frameRate: null,
      durationSeconds: 0,
    });
    expect(() => parse([{ ...video, width: 0 }])).toThrow(expect.objectContaining({ code: 'corrupt-media' }));
    expect(() => parseFfprobe('{"streams": [', 'video/mp4')).toThrow(
      expect.objectContaining({ code: 'corrupt-media' }),
    );
  });

  it('keeps a bounded number of clean container tags', () => {
    const tags: Record<string, string> = { TITLE: 'a\u0000b', major_brand: 'isom', long: 'x'.repeat(5_000) };
    for (let index = 0; index < 100; index += 1) tags[`tag${index}`] = 'y';
    const found = parse([video], { tags }).tags;
    expect(found).toMatchObject({ title: 'a b' });
    expect(found['long']).toHaveLength(500);
    expect(found).not.toHaveProperty('major_brand');
    expect(Object.keys(found)).toHaveLength(30);
  });
});
