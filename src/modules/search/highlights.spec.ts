import fc from 'fast-check';
import { highlightsOf, matchedInOf, toHighlightHtml } from './highlights.js';
import { MARK_END, MARK_START, type MomentRow, type WordHitsRow } from './sql/page-details.sql.js';

const row: WordHitsRow = {
  mediaFileId: 'm',
  inTitle: true,
  inVisual: false,
  inText: true,
  titleHeadline: `<script>${MARK_START}dog${MARK_END}`,
  labelsHeadline: null,
  summaryHeadline: 'no mark here',
  textHeadline: null,
};
const moment = (kind: 'speech' | 'visual'): MomentRow => ({
  mediaFileId: 'm',
  kind,
  startSeconds: 0,
  endSeconds: 1,
  score: 1,
  text: '',
});

it('escapes the text and marks what was found', () => {
  expect(highlightsOf(row)).toEqual([{ field: 'title', html: '&lt;script&gt;<mark>dog</mark>' }]);
  expect(highlightsOf(undefined)).toEqual([]);
});

it('never lets a tag of the text through', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", 'a', '/', MARK_START, MARK_END) }),
      (text) => {
        const html = toHighlightHtml(text);
        expect(html.replaceAll(/<\/?mark>/g, '')).not.toMatch(/[<>"']/);
      },
    ),
  );
});

it('says where a file was found', () => {
  expect(matchedInOf(row, [moment('speech')], [], true)).toEqual(['title', 'text', 'speech', 'meaning']);
  expect(matchedInOf(row, [], [moment('visual')], true)).toEqual(['title', 'text', 'visual']);
  expect(matchedInOf(undefined, [], [], true)).toEqual(['meaning']);
});
