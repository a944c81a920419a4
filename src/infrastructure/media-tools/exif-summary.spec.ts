import fc from 'fast-check';
import { summariseExif } from './exif-summary.js';
import { sharp } from './sharp-setup.js';

async function exifOf(exif: Parameters<ReturnType<typeof sharp>['withExif']>[0]): Promise<Buffer> {
  const picture = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .withExif(exif)
    .jpeg()
    .toBuffer();
  const block = (await sharp(picture).metadata()).exif;
  if (!block) throw new Error('The picture has no EXIF block.');
  return block;
}

/** A little-endian block with one directory; each entry is [tag, type, count, value or offset]. */
function block(entries: [number, number, number, number][], tail = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(10 + entries.length * 12 + 4);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(entries.length, 8);
  entries.forEach(([tag, type, count, value], index) => {
    const at = 10 + index * 12;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(count, at + 4);
    head.writeUInt32LE(value, at + 8);
  });
  return Buffer.concat([head, tail]);
}

describe('summariseExif', () => {
  it('reads camera, exposure, time with zone and position', async () => {
    const summary = summariseExif(
      await exifOf({
        IFD0: {
          Make: 'Canon',
          Model: 'EOS 40D',
          ImageDescription: 'A cat\tasleep',
          Artist: 'Ann',
          Copyright: 'CC0',
        },
        IFD2: {
          DateTimeOriginal: '2008:05:30 15:56:01',
          OffsetTimeOriginal: '-05:00',
          ExposureTime: '1/160',
          FNumber: '71/10',
          ISOSpeedRatings: '100',
          FocalLength: '135/1',
          LensModel: 'EF 70-200',
        },
        IFD3: {
          GPSLatitudeRef: 'S',
          GPSLatitude: '33/1 51/1 2484/100',
          GPSLongitudeRef: 'E',
          GPSLongitude: '151/1 12/1 3600/100',
          GPSAltitudeRef: '1',
          GPSAltitude: '125/10',
        },
      }),
    );
    expect(summary).toEqual({
      takenAt: '2008-05-30T15:56:01-05:00',
      cameraMake: 'Canon',
      cameraModel: 'EOS 40D',
      lensModel: 'EF 70-200',
      exposureTimeSeconds: 1 / 160,
      fNumber: 7.1,
      iso: 100,
      focalLengthMm: 135,
      latitude: -33.8569,
      longitude: 151.21,
      altitudeMetres: expect.closeTo(12.5, 5) as number,
      description: 'A cat asleep',
      artist: 'Ann',
      copyright: 'CC0',
    });
  });

  it('gives the time without a zone when the camera stored none', async () => {
    const summary = summariseExif(await exifOf({ IFD2: { DateTimeOriginal: '2020:01:02 03:04:05' } }));
    expect(summary.takenAt).toBe('2020-01-02T03:04:05');
  });

  it('leaves out a clock that was never set, a position without a fix and half a position', async () => {
    const noFix = await exifOf({
      IFD2: { DateTimeOriginal: '0000:00:00 00:00:00' },
      IFD3: { GPSLatitude: '0/0 0/0 0/0', GPSLongitude: '10/1 0/1 0/1' },
    });
    expect(summariseExif(noFix)).toEqual({});
    const beyond = await exifOf({ IFD3: { GPSLatitude: '91/1 0/1 0/1', GPSLongitude: '10/1 0/1 0/1' } });
    expect(summariseExif(beyond)).toEqual({});
  });

  it('cleans and caps strings, and reads UTF-8 and Latin-1', () => {
    const dirty = Buffer.from('a\u0000b', 'latin1');
    const at = 10 + 12 + 4;
    expect(summariseExif(block([[0x010e, 2, 3, 0]])).description).toBeUndefined();
    expect(summariseExif(block([[0x010e, 2, 5, at]], Buffer.from('x\u0007\n y', 'latin1'))).description).toBe(
      'x y',
    );
    expect(summariseExif(block([[0x010e, 2, 7, at]], Buffer.from('Zoë é', 'utf8'))).description).toBe(
      'Zoë é',
    );
    expect(summariseExif(block([[0x010e, 2, 6, at]], Buffer.from('Zoë é', 'utf8'))).description).toBe('Zoë');
    expect(summariseExif(block([[0x010e, 2, 5, at]], Buffer.from('Zo\u00eb x', 'latin1'))).description).toBe(
      'Zoë x',
    );
    expect(summariseExif(block([[0x010e, 2, 5000, at]], Buffer.alloc(5000, 'z'))).description).toHaveLength(
      1000,
    );
    // A NUL inside: PostgreSQL refuses it in text and jsonb.
    const inside = summariseExif(block([[0x010e, 2, 8, at]], Buffer.concat([dirty, Buffer.from('cdefg')])));
    expect(inside.description).not.toContain('\u0000');
  });

  it('reads user comments in ASCII and UTF-16', async () => {
    const text = (code: string, body: Buffer) => {
      const value = Buffer.concat([Buffer.from(code.padEnd(8, '\0'), 'latin1'), body]);
      const photo = block([[0x9286, 7, value.length, 26 + 12 + 6]]).subarray(8);
      return summariseExif(Buffer.concat([block([[0x8769, 4, 1, 26]]), photo, value]));
    };
    expect(text('ASCII', Buffer.from('hello')).description).toBe('hello');
    expect(text('UNICODE', Buffer.from('grüße', 'utf16le')).description).toBe('grüße');
    expect(text('UNICODE', Buffer.from('grüße', 'utf16le').swap16()).description).toBe('grüße');
  });

  it('counts altitudes below the sea as negative', () => {
    const rational = Buffer.alloc(8);
    rational.writeUInt32LE(125, 0);
    rational.writeUInt32LE(10, 4);
    const gpsAt = 26;
    const gps = block([
      [5, 1, 1, 1],
      [6, 5, 1, gpsAt + 2 + 24 + 4],
    ]).subarray(8);
    const whole = Buffer.concat([block([[0x8825, 4, 1, gpsAt]]), gps, rational]);
    expect(summariseExif(whole)).toEqual({ altitudeMetres: -12.5 });
  });

  it('does not let entries that share their bytes grow into gigabytes', () => {
    const bomb = block(Array.from({ length: 5400 }, (_, tag) => [tag + 1, 1, 64_000, 0]));
    const before = process.memoryUsage().rss;
    expect(summariseExif(bomb)).toEqual({});
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 1024 * 1024);
  });

  it('never throws, whatever the bytes are', async () => {
    const honest = await exifOf({ IFD0: { Make: 'Canon' }, IFD3: { GPSLatitude: '1/1 2/1 3/1' } });
    const damaged = fc
      .array(fc.tuple(fc.nat(honest.length - 1), fc.nat(255)), { maxLength: 12 })
      .map((changes) => {
        const copy = Buffer.from(honest);
        for (const [at, value] of changes) copy[at] = value;
        return copy;
      });
    const random = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(damaged, random), (bytes) => {
        const summary = summariseExif(bytes);
        for (const value of Object.values(summary)) {
          if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
          else expect(value).not.toContain('\0');
        }
      }),
      { numRuns: 2_000 },
    );
    expect(summariseExif(undefined)).toEqual({});
  });
});
