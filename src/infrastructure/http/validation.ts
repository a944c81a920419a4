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
    const parsers = metadata.metatype
      ? parsersOf(metadata.metatype.prototype as object | undefined)
      : NO_PARSERS;
    if (parsers.size === 0 || typeof value !== 'object' || value === null) {
      return super.transform(value, metadata);
    }
    const request: Record<string, unknown> = { ...value };
    for (const property of parsers.keys()) {
      const sent = request[property];
      if (sent !== undefined && sent !== null) request[property] = () => sent;
    }
    return super.transform(request, metadata);
  }

  protected override async validate(object: object, options?: ValidatorOptions): Promise<ValidationError[]> {
    const found = await super.validate(object, options);
    const request = object as Record<string, unknown>;
    for (const [property, parse] of parsersOf(object)) {
      const sent = request[property];
      if (typeof sent !== 'function') continue;
      const { value, faults } = parse((sent as () => unknown)());
      request[property] = value;
      if (faults.length > 0) found.push(new ParserFaults(property, faults));
    }
    return found;
  }
}

const NO_PARSERS: ReadonlyMap<string, FieldParser> = new Map();

function parsersOf(object: object | undefined): ReadonlyMap<string, FieldParser> {
  return object === undefined
    ? NO_PARSERS
    : ((Reflect.getMetadata(PARSED_FIELDS, object) as Map<string, FieldParser> | undefined) ?? NO_PARSERS);
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
