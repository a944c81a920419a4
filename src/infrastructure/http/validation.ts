import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { errors, type FieldFault } from '../errors/app-error.js';

/** Unknown fields are refused, types are never guessed, every fault is told at once with a pointer to its field. */
export function createValidationPipe(): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    transform: true,
    forbidUnknownValues: true,
    stopAtFirstError: false,
    validationError: { target: false, value: false },
    exceptionFactory: (faults) => errors.validation(flatten(faults)),
  });
}

function flatten(faults: ValidationError[], prefix = ''): FieldFault[] {
  return faults.flatMap((fault) => {
    const pointer = `${prefix}/${escapePointer(fault.property)}`;
    const own = Object.values(fault.constraints ?? {}).map((detail) => ({ pointer, detail }));
    return [...own, ...flatten(fault.children ?? [], pointer)];
  });
}

/** RFC 6901. The property name is the caller's text: cut, so that an answer never carries a long echo. */
function escapePointer(property: string): string {
  return property.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1');
}
