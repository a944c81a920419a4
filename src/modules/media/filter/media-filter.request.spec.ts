import 'reflect-metadata';
import { FILTER_FIELDS, parseMediaFilter } from './media-filter.parser.js';
import { MediaFilterPart, MediaFilterRequest } from './media-filter.request.js';

/** What @nestjs/swagger knows of a class, its parents included; names are led by a colon. */
function documented(type: { prototype: object }): string[] {
  const names: string[] = [];
  for (let at = type.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    names.push(
      ...((Reflect.getOwnMetadata('swagger/apiModelPropertiesArray', at) as string[] | undefined) ?? []),
    );
  }
  return [...new Set(names)].map((name) => name.slice(1)).sort();
}

it('the documentation names exactly the fields that are read', () => {
  expect(documented(MediaFilterRequest)).toEqual([...FILTER_FIELDS].sort());
  expect(documented(MediaFilterPart)).toEqual(
    FILTER_FIELDS.filter((name) => name !== 'includePrivate').sort(),
  );
});

it('every documented field may be null, which counts as absent', () => {
  const empty = Object.fromEntries(FILTER_FIELDS.map((name) => [name, null]));
  expect(parseMediaFilter(empty)).toEqual({ value: {}, faults: [] });
});
