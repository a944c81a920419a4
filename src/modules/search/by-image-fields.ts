import { errors, type FieldFault } from '../../infrastructure/errors/app-error.js';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../../infrastructure/http/pagination.dto.js';
import { BY_IMAGE_MODES, type ByImageMode } from './dto/similar.request.js';

export interface ByImageOptions {
  limit: number;
  includePrivate: boolean;
  mode: ByImageMode;
}

const FIELDS = ['limit', 'includePrivate', 'mode'] as const;

/**
 * Reads the text fields of a search by picture, given as name and value in the order they came. An empty one counts as
 * not sent.
 * @throws AppError 400 `validation-failed` with every fault at once, unknown fields included
 */
export function readByImageFields(
  entries: readonly (readonly [name: string, value: string])[],
): ByImageOptions {
  const faults: FieldFault[] = [];
  const values = new Map<string, string>();
  for (const [name, value] of entries) {
    if (!FIELDS.some((field) => field === name)) {
      const shown = printable(name);
      faults.push({ pointer: `/${escape(shown)}`, detail: `property ${shown} should not exist` });
    } else if (values.has(name)) faults.push({ pointer: `/${name}`, detail: `${name} must be sent once` });
    else values.set(name, value.trim());
  }
  const read = <T>(field: string, fallback: T, parse: (value: string) => T | null, rule: string): T => {
    const value = values.get(field) ?? '';
    if (value === '') return fallback;
    const parsed = parse(value);
    if (parsed === null) faults.push({ pointer: `/${field}`, detail: `${field} ${rule}` });
    return parsed ?? fallback;
  };
  const options: ByImageOptions = {
    limit: read('limit', DEFAULT_PAGE_SIZE, parseLimit, `must be a whole number of 1 to ${MAX_PAGE_SIZE}`),
    includePrivate: read(
      'includePrivate',
      false,
      (value) => (value === 'true' ? true : value === 'false' ? false : null),
      'must be "true" or "false"',
    ),
    mode: read<ByImageMode>(
      'mode',
      'all',
      (value) => BY_IMAGE_MODES.find((mode) => mode === value) ?? null,
      `must be one of ${BY_IMAGE_MODES.join(', ')}`,
    ),
  };
  if (faults.length > 0) throw errors.validation(faults);
  return options;
}

function parseLimit(value: string): number | null {
  const limit = /^\d{1,4}$/.test(value) ? Number(value) : 0;
  return limit >= 1 && limit <= MAX_PAGE_SIZE ? limit : null;
}

/** The caller's own text in an answer: short, and of harmless characters only. */
function printable(name: string): string {
  return name.slice(0, 100).replace(/[^\p{L}\p{N}_\-.[\] ]/gu, '?');
}

/** RFC 6901. */
function escape(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
