const DATE = /^(\d{4})-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** The same moment as ISO 8601 in UTC, a date being its midnight; null when it is none, for example 30 February. */
export function toUtc(value: string): string | null {
  const match = DATE.exec(value);
  if (match === null || match[1] === '0000') return null;
  const day = new Date(value.slice(0, 10));
  // Date rolls 30 February over into March.
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== value.slice(0, 10)) return null;
  const time = new Date(value);
  const year = time.getUTCFullYear();
  return Number.isNaN(time.getTime()) || year < 1 || year > 9999 ? null : time.toISOString();
}

/** A date without a time of day. */
export const isDateOnly = (value: string): boolean => value.length === 'yyyy-mm-dd'.length;

/** As toUtc; a time without a zone is taken as UTC. */
export const toUtcByDefault = (value: string): string | null => toUtc(value) ?? toUtc(`${value}Z`);
