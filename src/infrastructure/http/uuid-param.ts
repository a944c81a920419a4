import { Injectable, Param, type PipeTransform } from '@nestjs/common';
import { errors } from '../errors/app-error.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

@Injectable()
export class ParseUuidPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (!UUID.test(value)) throw errors.badRequest('invalid-id', 'The id in the path is not a UUID.');
    return value.toLowerCase();
  }
}

/** A path parameter that must be a UUID; 400 otherwise. */
export const UuidParam = (name: string): ParameterDecorator => Param(name, new ParseUuidPipe());
