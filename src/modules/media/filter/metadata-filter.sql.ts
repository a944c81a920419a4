import { Prisma } from '../../../infrastructure/database/generated/client.js';
import type { CustomMetadataFilter, MetadataRange } from './media-filter.types.js';
import { isDateOnly, toUtc } from './timestamps.js';

/** What a filter says of the owner's JSON, as conditions on alias `m`. No value in there can make the query fail. */
export function metadataConditions(filter: CustomMetadataFilter | undefined): Prisma.Sql[] {
  return [
    ...(filter?.contains === undefined
      ? []
      : [Prisma.sql`m.custom_metadata @> ${JSON.stringify(filter.contains)}::text::jsonb`]),
    ...(filter?.ranges ?? []).map(inMetadataRange),
    ...(filter?.exists ?? []).map((path) => Prisma.sql`${at(path)} IS NOT NULL`),
  ];
}

/** How the bounds are compared; null when they are not of one kind. */
export function kindOfRange({ min, max }: Omit<MetadataRange, 'path'>): 'number' | 'time' | 'text' | null {
  const bounds = [min, max].filter((bound) => bound !== undefined);
  if (bounds.every((bound) => typeof bound === 'number')) return 'number';
  if (!bounds.every((bound) => typeof bound === 'string')) return null;
  return bounds.every((bound) => toUtc(bound) !== null) ? 'time' : 'text';
}

function inMetadataRange(range: MetadataRange): Prisma.Sql {
  const kind = kindOfRange(range);
  if (kind === 'number') return inNumberRange(range);
  return kind === 'time' ? inTimeRange(range) : inTextRange(range);
}

// JSON values are compared as such: a JSON number of any size is in order, and nothing is cast that may not be one. The
// kind is asked last: most values are out of the range, and each look into the JSON costs as much as all else.
function inNumberRange({ path, min, max }: MetadataRange): Prisma.Sql {
  const bounds = [
    ...(min === undefined ? [] : [Prisma.sql`${at(path)} >= ${asJson(min)}`]),
    ...(max === undefined ? [] : [Prisma.sql`${at(path)} <= ${asJson(max)}`]),
  ];
  return Prisma.sql`(${Prisma.join(bounds, ' AND ')} AND jsonb_typeof(${at(path)}) = 'number')`;
}

function inTextRange({ path, min, max }: MetadataRange): Prisma.Sql {
  const text = Prisma.sql`(${at(path)} #>> '{}') COLLATE "C"`;
  return Prisma.sql`(jsonb_typeof(${at(path)}) = 'string'${bound(Prisma.sql`${text} >=`, asText(min))}${bound(
    Prisma.sql`${text} <=`,
    asText(max),
  )})`;
}

/**
 * The value is cast only where its form is checked and its day exists in its month: a cast of anything else would fail
 * the whole query, and CASE alone keeps the order. Written out rather than in a sub-select, which took four times as
 * long. PostgreSQL takes offsets below 16 hours; places on earth have up to 14. What is out by more than a day as text
 * is out whatever its offset, and most values are: the form of the few others is checked then.
 */
function inTimeRange({ path, min, max }: MetadataRange): Prisma.Sql {
  const text = Prisma.sql`(m.custom_metadata #>> ${path}::text[])`;
  const moment = Prisma.sql`(CASE WHEN length(${text}) = 10 THEN ${text} || 'T00:00:00Z' ELSE ${text} END)::timestamptz`;
  return Prisma.sql`CASE WHEN ${nearTimes(text, min, max)} AND jsonb_typeof(${at(path)}) = 'string' AND ${text} ~ ${TIME_FORM} THEN
      CASE WHEN substr(${text}, 9, 2)::integer <= 28 OR substr(${text}, 9, 2)::integer <= extract(day FROM
        make_date(substr(${text}, 1, 4)::integer, substr(${text}, 6, 2)::integer, 1) + interval '1 month' - interval '1 day')
      THEN true${bound(Prisma.sql`${moment} >=`, asMoment(min))}${upperMoment(moment, max)} ELSE false END ELSE false END`;
}

/** Cheap, and true of every time between the bounds: a local date differs from the one in UTC by a day at most. */
function nearTimes(text: Prisma.Sql, min: MetadataRange['min'], max: MetadataRange['max']): Prisma.Sql {
  const bounds = [
    ...(min === undefined ? [] : [Prisma.sql`${text} COLLATE "C" >= ${dayBeside(min, -1)}::text`]),
    // Below the day after the next: that one with any time of day is still in.
    ...(max === undefined ? [] : [Prisma.sql`${text} COLLATE "C" < ${dayBeside(max, 2)}::text`]),
  ];
  return Prisma.join(bounds, ' AND ');
}

/** The date some days from the one of a moment in UTC, kept within the four-digit years. */
function dayBeside(moment: number | string, days: number): string {
  const day = new Date(toUtc(String(moment))!);
  day.setUTCDate(day.getUTCDate() + days);
  const year = day.getUTCFullYear();
  return year < 1 ? '0000' : year > 9999 ? ':' : day.toISOString().slice(0, 10);
}

/** Year 1 to 9999; without a look-ahead, which is slow. */
const TIME_FORM =
  '^(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])' +
  '(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\\.[0-9]{1,6})?)?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9]))?$';

const at = (path: string[]): Prisma.Sql => Prisma.sql`(m.custom_metadata #> ${path}::text[])`;

const bound = (comparison: Prisma.Sql, value: Prisma.Sql | null): Prisma.Sql =>
  value === null ? Prisma.empty : Prisma.sql` AND ${comparison} ${value}`;

// As text: a double on the way would round numbers of more than 15 digits.
const asJson = (value: number | string | undefined): Prisma.Sql | null =>
  value === undefined ? null : Prisma.sql`${JSON.stringify(value)}::text::jsonb`;

const asText = (value: number | string | undefined): Prisma.Sql | null =>
  value === undefined ? null : Prisma.sql`${String(value)}::text`;

const asMoment = (value: number | string | undefined): Prisma.Sql | null =>
  value === undefined ? null : Prisma.sql`${toUtc(String(value))}::timestamptz`;

/** A date as upper bound means the whole day. */
function upperMoment(moment: Prisma.Sql, max: number | string | undefined): Prisma.Sql {
  return typeof max === 'string' && isDateOnly(max)
    ? bound(Prisma.sql`${moment} <`, Prisma.sql`${toUtc(max)}::timestamptz + interval '24 hours'`)
    : bound(Prisma.sql`${moment} <=`, asMoment(max));
}
