import { Transform } from 'class-transformer';
import { buildMessage, ValidateBy, type ValidationOptions } from 'class-validator';

// eslint-disable-next-line no-control-regex -- these are what is looked for
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f]/u;
/** Something that is neither white space nor invisible. */
const VISIBLE = /[^\s\p{C}\p{Z}\p{M}]/u;

/** Takes off white space at both ends and turns tabs and line breaks (pasted text) into spaces. */
export const TrimText = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? value.replace(/[\t\n\r]+/g, ' ').trim() : value,
  );

/**
 * Text that can be stored and compared: no control characters (PostgreSQL refuses NUL), no half of a surrogate pair,
 * something visible in it, and at most `maxLength` UTF-16 units.
 */
export function IsCleanText(maxLength: number, options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isCleanText',
      validator: {
        validate: (value: unknown): boolean =>
          typeof value === 'string' &&
          value.length <= maxLength &&
          value.isWellFormed() &&
          !CONTROL_CHARACTERS.test(value) &&
          VISIBLE.test(value),
        defaultMessage: buildMessage(
          (each) =>
            `${each}$property must be text of 1 to ${maxLength} characters without control characters or halves of surrogate pairs`,
          options,
        ),
      },
    },
    options,
  );
}

const DATE = /^(\d{4})-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** A date (UTC midnight) or a time with its zone, ISO 8601, years 1 to 9999. */
export function IsTimestamp(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isTimestamp',
      validator: {
        validate: (value: unknown): boolean => typeof value === 'string' && toUtc(value) !== null,
        defaultMessage: buildMessage(
          (each) =>
            `${each}$property must be a date such as 2026-11-21 or a time such as 2026-11-21T10:00:00Z`,
          options,
        ),
      },
    },
    options,
  );
}

/** The same moment as ISO 8601 in UTC; null when it is none, for example 30 February. */
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
