import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';

/** RFC 9457, as every error answer has it. */
const PROBLEM_SCHEMA = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'instance', 'requestId', 'code'],
  properties: {
    type: { type: 'string', format: 'uri', example: 'urn:ai-media-search:problem:validation-failed' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    requestId: { type: 'string', format: 'uuid', nullable: true },
    code: { type: 'string', description: 'Stable; compare this one' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: { pointer: { type: 'string' }, detail: { type: 'string' } },
      },
    },
  },
} as const;

/** The OpenAPI document of the application; committed as openapi.json and compared by a test. */
export function buildOpenApiDocument(nest: INestApplication): OpenAPIObject {
  const document = SwaggerModule.createDocument(
    nest,
    new DocumentBuilder()
      .setOpenAPIVersion('3.1.0')
      .setTitle('AI Media Search')
      .setVersion('1')
      .setDescription(
        'Upload images and videos, find them by meaning, by words, down to the second. ' +
          'Log in at POST /v1/auth/login and use the access token as a bearer token, or send an API key as X-API-Key.',
      )
      .addBearerAuth()
      .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key' }, 'apiKey')
      .build(),
  );
  document.components ??= {};
  document.components.schemas = { ...document.components.schemas, Problem: PROBLEM_SCHEMA as never };
  const problem = (description: string): object => ({
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  });
  for (const operations of Object.values(document.paths)) {
    for (const operation of Object.values(
      operations as Record<string, { responses?: Record<string, object>; security?: unknown[] }>,
    )) {
      operation.responses = {
        ...operation.responses,
        ...(operation.security?.length
          ? { '401': problem('Not logged in'), '429': problem('Rate limit of the plan') }
          : {}),
        default: problem('Any other error'),
      };
    }
  }
  return document;
}
