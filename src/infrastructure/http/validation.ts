import { ValidationPipe, type ArgumentMetadata, type ValidationError } from '@nestjs/common';
import type { ValidatorOptions } from 'class-validator';
import { errors, type FieldFault } from '../errors/app-error.js';

const PARSED_FIELDS = 'validation:parsed-fields';

/** Reads a value that decorators cannot describe. Pointers of its faults are relative to the value. */
export type FieldParser = (value: unknown) => { value: unknown; faults: FieldFault[] };

/** A field of a request with a grammar of its own: checked by `parse`, and replaced by what it gives. */
export const ParsedBy =
  (parse: FieldParser): PropertyDecorator =>
  (target, property) => {
    const inherited = parsersOf(target);
    Reflect.defineMetadata(PARSED_FIELDS, new Map([...inherited, [String(property), parse]]), target);
  };

const NESTED_REQUESTS = 'validation:nested-requests';

/** A field that holds a whole request with such fields: to stand beside ValidateNested and Type. */
export const HoldsParsedFields =
  (type: () => { prototype: object }): PropertyDecorator =>
  (target, property) => {
    const inherited = nestedOf(target);
    Reflect.defineMetadata(NESTED_REQUESTS, new Map([...inherited, [String(property), type]]), target);
  };

/** Unknown fields are refused, types are never guessed, every fault is told at once with a pointer to its field. */
export function createValidationPipe(): ValidationPipe {
  return new RequestPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    transform: true,
    forbidUnknownValues: true,
    stopAtFirstError: false,
    validationError: { target: false, value: false },
    exceptionFactory: (faults) => errors.validation(flatten(faults)),
  });
}

/** Faults that a parser found: they carry their pointers themselves. */
class ParserFaults implements ValidationError {
  constructor(
    readonly property: string,
    readonly faults: FieldFault[],
  ) {}
}

/**
 * The validation of Nest, and after it the parsers of fields with a grammar of their own. Such a field travels through
 * Nest and class-transformer inside a function: they copy objects, and drop keys such as "constructor" in silence.
 */
class RequestPipe extends ValidationPipe {
  override transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const prototype = metadata.metatype?.prototype as object | undefined;
    return super.transform(wrapParsedFields(value, prototype), metadata);
  }

  protected override async validate(object: object, options?: ValidatorOptions): Promise<ValidationError[]> {
    const found = await super.validate(object, options);
    return [...found, ...parseFields(object as Record<string, unknown>)];
  }
}

/** A copy whose parsed fields are functions that give what was sent. */
function wrapParsedFields(value: unknown, prototype: object | undefined): unknown {
  const [parsers, nested] = [parsersOf(prototype), nestedOf(prototype)];
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (parsers.size + nested.size === 0 || !isObject) return value;
  const request: Record<string, unknown> = { ...value };
  for (const property of parsers.keys()) {
    const sent = request[property];
    if (sent !== undefined && sent !== null) request[property] = () => sent;
  }
  for (const [property, type] of nested)
    request[property] = wrapParsedFields(request[property], type().prototype);
  return request;
}

/** Puts what the parsers give in place of the functions. */
function parseFields(request: Record<string, unknown>): ParserFaults[] {
  const found: ParserFaults[] = [];
  for (const [property, parse] of parsersOf(request)) {
    const sent = request[property];
    if (typeof sent !== 'function') continue;
    const { value, faults } = parse((sent as () => unknown)());
    request[property] = value;
    if (faults.length > 0) found.push(new ParserFaults(property, faults));
  }
  for (const property of nestedOf(request).keys()) {
    const inner = request[property];
    if (typeof inner !== 'object' || inner === null) continue;
    for (const { property: field, faults } of parseFields(inner as Record<string, unknown>)) {
      const prefixed = faults.map((fault) => ({
        ...fault,
        pointer: `/${escapePointer(field)}${fault.pointer}`,
      }));
      found.push(new ParserFaults(property, prefixed));
    }
  }
  return found;
}

const parsersOf = (object: object | undefined): ReadonlyMap<string, FieldParser> =>
  metadataOf<FieldParser>(PARSED_FIELDS, object);

const nestedOf = (object: object | undefined): ReadonlyMap<string, () => { prototype: object }> =>
  metadataOf<() => { prototype: object }>(NESTED_REQUESTS, object);

function metadataOf<T>(key: string, object: object | undefined): ReadonlyMap<string, T> {
  const found = object && (Reflect.getMetadata(key, object) as ReadonlyMap<string, T> | undefined);
  return found ?? new Map<string, T>();
}

function flatten(faults: ValidationError[], prefix = ''): FieldFault[] {
  return faults.flatMap((fault) => {
    const pointer = `${prefix}/${escapePointer(fault.property)}`;
    if (fault instanceof ParserFaults) {
      return fault.faults.map((inner) => ({ ...inner, pointer: pointer + inner.pointer }));
    }
    const own = Object.values(fault.constraints ?? {}).map((detail) => ({ pointer, detail }));
    return [...own, ...flatten(fault.children ?? [], pointer)];
  });
}

/** RFC 6901. The property name is the caller's text: cut, so that an answer never carries a long echo. */
export function escapePointer(property: string): string {
  return property.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1');
}
