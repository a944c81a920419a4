import { takeTurns } from './suggestions.service.js';

it('lets the kinds take turns and gives each text once', () => {
  const rows = [
    { text: 'Beach', kind: 'title' as const },
    { text: 'beach bar', kind: 'query' as const },
    { text: 'beach house', kind: 'query' as const },
    { text: 'beach', kind: 'tag' as const },
  ];
  expect(takeTurns(rows, 10).map((row) => row.text)).toEqual(['beach bar', 'beach', 'beach house']);
  expect(takeTurns(rows, 2).map((row) => row.text)).toEqual(['beach bar', 'beach']);
  expect(takeTurns([], 5)).toEqual([]);
});
