import { MEDIA_SORTS, mediaListPage } from './media-list.sql.js';

const userId = '018f0000-0000-7000-8000-000000000001';
const id = '018f0000-0000-7000-8000-000000000002';

describe('mediaListPage', () => {
  it('asks for the newest files of the user', () => {
    const query = mediaListPage({
      userId,
      filter: {},
      isTrash: false,
      sort: 'uploadedAt',
      order: 'desc',
      after: null,
      limit: 20,
    });
    expect(query.text).toMatchSnapshot();
    expect(query.values).toEqual([userId, 21]);
  });

  it('puts every filter into the statement as a bound value', () => {
    const query = mediaListPage({
      userId,
      filter: {
        fileType: 'image',
        status: 'completed',
        tags: { all: ["sea'; DROP TABLE users; --", 'sun'] },
        categories: ['nature'],
        labels: [{ name: 'beach' }],
        isPrivate: false,
        uploadedFrom: '2026-01-01',
        uploadedTo: '2026-02-01',
        takenFrom: '2025-01-01',
        takenTo: '2025-02-01',
      },
      isTrash: true,
      sort: 'takenAt',
      order: 'asc',
      after: { key: '2025-01-15 10:00:00.123456+00', id },
      limit: 5,
    });
    expect(query.text).toMatchSnapshot();
    expect(query.text).not.toContain('DROP TABLE');
    expect(query.values.flat()).toContain("sea'; DROP TABLE users; --");
  });

  it.each(MEDIA_SORTS)('continues a list by %s after a row', (sort) => {
    const query = mediaListPage({
      userId,
      filter: {},
      isTrash: false,
      sort,
      order: 'desc',
      after: { key: '1', id },
      limit: 5,
    });
    expect(query.text).toMatchSnapshot();
  });

  it('continues among the files without a value', () => {
    const query = mediaListPage({
      userId,
      filter: {},
      isTrash: false,
      sort: 'takenAt',
      order: 'desc',
      after: { key: null, id },
      limit: 5,
    });
    expect(query.text).toContain('(m.taken_at IS NULL AND m.id < ');
  });
});
