import { ValidationPipe, type ValidationError } from '@nestjs/common';
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

/** The validation of Nest, and after it the parsers of fields with a grammar of their own. */
class RequestPipe extends ValidationPipe {
  protected override async validate(object: object, options?: ValidatorOptions): Promise<ValidationError[]> {
    const found = await super.validate(object, options);
    const request = object as Record<string, unknown>;
    for (const [property, parse] of parsersOf(object)) {
      if (request[property] === undefined || request[property] === null) continue;
      const { value, faults } = parse(request[property]);
      request[property] = value;
      if (faults.length > 0) found.push(new ParserFaults(property, faults));
    }
    return found;
  }
}

function parsersOf(object: object): Map<string, FieldParser> {
  return (Reflect.getMetadata(PARSED_FIELDS, object) as Map<string, FieldParser> | undefined) ?? new Map();
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
