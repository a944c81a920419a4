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
