import fc from 'fast-check';
import { parseSubtitleFile, parseSubtitles, toWebVtt } from './subtitles.js';

describe('parseSubtitles', () => {
  it('reads SRT with BOM, Windows line ends, tags and several lines', () => {
    const srt =
      '\ufeff1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>Hello</i>\r\n<font color="red">world</font>\r\n\r\n' +
      '2\r\n01:00:01,100 --> 01:00:02,000\r\n{\\an8}Rock &amp; roll\r\n';
    expect(parseSubtitles(srt)).toEqual([
      { startSeconds: 1, endSeconds: 2.5, text: 'Hello world' },
      { startSeconds: 3601.1, endSeconds: 3602, text: 'Rock & roll' },
    ]);
  });

  it('reads WebVTT with header, notes, styles, settings, voices and no hours', () => {
    const vtt = [
      'WEBVTT - a title',
      'Kind: captions',
      '',
      'NOTE 00:01 is not a cue',
      '',
      'STYLE\n::cue { color: red }',
      '',
      'intro',
      '00:05.000 --> 00:06.250 align:start position:10%',
      '<v Ann>Where <c.loud>are</c> you, <00:05.500>Bob&nbsp;&lt;3&#33;&#x263A;?',
      '',
    ].join('\n');
    expect(parseSubtitles(vtt)).toEqual([
      { startSeconds: 5, endSeconds: 6.25, text: 'Where are you, Bob <3!☺?' },
    ]);
  });

  it('skips malformed, empty and backward cues, and sorts the rest', () => {
    const srt = [
      '1\n00:00:09,000 --> 00:00:10,000\nlast',
      '2\n00:00:xx,000 --> 00:00:10,000\nbroken',
      '3\n00:00:05,000 --> 00:00:04,000\nbackward',
      '4\n00:00:05,000 --> 00:00:06,000\n<b></b>',
      '5\n00:00:01,0 --> 00:00:02,00\nfirst',
    ].join('\n\n');
    expect(parseSubtitles(srt).map(({ text }) => text)).toEqual(['first', 'last']);
  });

  it('starts a new cue where the empty line is missing', () => {
    const cues = parseSubtitles('00:01.000 --> 00:02.000\none\n00:03.000 --> 00:04.000\ntwo');
    expect(cues.map(({ text }) => text)).toEqual(['one', 'two']);
  });

  it('leaves arithmetic and hearts alone', () => {
    const [cue] = parseSubtitles('00:01.000 --> 00:02.000\n1 <2 and 3> 2, I <3 you & me');
    expect(cue?.text).toBe('1 <2 and 3> 2, I <3 you & me');
  });

  it('stays linear and bounded on hostile input', () => {
    const started = performance.now();
    const many = '00:01.000 --> 00:02.000\nx\n\n'.repeat(30_000);
    expect(parseSubtitles(many)).toHaveLength(20_000);
    const open = `00:01.000 --> 00:02.000\n${'<a'.repeat(200_000)}${'&'.repeat(200_000)}${'{\\'.repeat(200_000)}`;
    expect(parseSubtitles(open)[0]?.text.length).toBeLessThanOrEqual(2_000);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('removes control characters, among them the NUL that PostgreSQL refuses', () => {
    expect(parseSubtitles('00:01.000 --> 00:02.000\na\u0000b&#0;c&#1;')[0]?.text).toBe('a bc');
  });
});

describe('parseSubtitleFile', () => {
  const cue = '1\n00:00:01,000 --> 00:00:02,000\nGrüße\n';
  it.each([
    ['UTF-8', Buffer.from(cue, 'utf8')],
    ['UTF-16 little endian', Buffer.from(`\ufeff${cue}`, 'utf16le')],
    ['UTF-16 big endian', Buffer.from(`\ufeff${cue}`, 'utf16le').swap16()],
    ['Windows-1252', Buffer.from(cue, 'latin1')],
  ])('reads %s', (_, bytes) => {
    expect(parseSubtitleFile(bytes)).toEqual([{ startSeconds: 1, endSeconds: 2, text: 'Grüße' }]);
  });

  it('finds nothing in what is no subtitle file', () => {
    expect(parseSubtitleFile(Buffer.from([0, 1, 2, 255, 254]))).toEqual([]);
    expect(parseSubtitleFile(Buffer.alloc(0))).toEqual([]);
  });
});

describe('toWebVtt', () => {
  it('writes times with hours and milliseconds, and escapes markup', () => {
    const vtt = toWebVtt([
      { startSeconds: 0, endSeconds: 1.5, text: 'a <b> & c --> d\n\ne' },
      { startSeconds: 36_061.0005, endSeconds: 36_062, text: 'late' },
    ]);
    expect(vtt).toBe(
      'WEBVTT\n\n00:00:00.000 --> 00:00:01.500\na &lt;b&gt; &amp; c --&gt; d e\n\n' +
        '10:01:01.001 --> 10:01:02.000\nlate\n',
    );
    expect(toWebVtt([])).toBe('WEBVTT\n');
  });

  it('is read back unchanged', () => {
    const words = fc
      .stringMatching(/^[a-zA-Z0-9 <>&;#!?äöü☺-]{1,40}$/)
      .map((text) => text.replace(/\s+/g, ' ').trim());
    const cues = fc.array(
      fc
        .tuple(fc.integer({ min: 0, max: 40_000_000 }), fc.integer({ min: 1, max: 60_000 }), words)
        .filter(([, , text]) => text !== '')
        .map(([start, length, text]) => ({
          startSeconds: start / 1000,
          endSeconds: (start + length) / 1000,
          text,
        })),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(cues, (list) => {
        const sorted = [...list].sort(
          (a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds,
        );
        expect(parseSubtitles(toWebVtt(list))).toEqual(sorted);
      }),
    );
  });
});
