import type { Server } from 'node:http';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import helmet from 'helmet';
import { pinoHttp } from 'pino-http';
import { AppModule } from './app.module.js';
import { jsonBodyMiddleware } from './infrastructure/http/json-body.middleware.js';
import { createValidationPipe } from './infrastructure/http/validation.js';
import { scopeMiddleware } from './infrastructure/http/scope.middleware.js';
import { NestLogger } from './infrastructure/observability/nest-logger.js';
import type { Runtime } from './infrastructure/runtime.js';
import { buildOpenApiDocument } from './openapi.js';

/** A client that sends its headers slower than this is cut off (slow loris). */
const HEADERS_TIMEOUT_MS = 10_000;
/** A whole request, uploads included: two gigabytes at 5 Mbit/s take just under an hour. */
const REQUEST_TIMEOUT_MS = 3_600_000;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

export interface Application {
  nest: NestExpressApplication;
  openApi: OpenAPIObject;
}

/** Builds the HTTP application on an open runtime. It does not listen yet. */
export async function createApplication(runtime: Runtime): Promise<Application> {
  const { config, logger, metrics } = runtime;
  const nest = await NestFactory.create<NestExpressApplication>(AppModule.forRuntime(runtime), {
    logger: new NestLogger(logger),
    bodyParser: false,
    abortOnError: false,
  });
  nest.disable('x-powered-by');
  // Strong ETags are set where there is something to validate; hashing every JSON answer would cost more than it saves.
  nest.disable('etag');
  nest.set('trust proxy', config.TRUST_PROXY_HOPS);
  nest.set('query parser', 'simple');
  nest.use(scopeMiddleware(metrics));
  nest.use(
    helmet({
      contentSecurityPolicy: {
        // Swagger UI, served from here, styles itself inline; scripts come from files only.
        directives: {
          'style-src': ["'self'", "'unsafe-inline'"],
          'upgrade-insecure-requests': config.isProduction ? [] : null,
        },
      },
      strictTransportSecurity: config.isProduction,
      crossOriginResourcePolicy: { policy: 'same-origin' },
    }),
  );
  nest.use(
    pinoHttp({
      logger,
      autoLogging: { ignore: (request) => /^\/(health|metrics)/.test(request.url ?? '') },
      customLogLevel: (_request, response, error) =>
        error || response.statusCode >= 500 ? 'error' : response.statusCode >= 400 ? 'info' : 'debug',
      serializers: {
        // The path without its query: search words and cursors are personal.
        req: (request: { method: string; url: string }) => ({
          method: request.method,
          path: request.url.split('?')[0],
        }),
        res: (response: { statusCode: number }) => ({ status: response.statusCode }),
        err: (error: Error) => ({ name: error.name, message: error.message.slice(0, 300) }),
      },
    }),
  );
  nest.use(jsonBodyMiddleware());
  nest.useGlobalPipes(createValidationPipe());
  const openApi = buildOpenApiDocument(nest);
  SwaggerModule.setup('docs', nest, openApi, {
    jsonDocumentUrl: 'openapi.json',
    customSiteTitle: 'AI Media Search API',
    swaggerOptions: { persistAuthorization: true, displayRequestDuration: true, tryItOutEnabled: true },
  });
  const server = nest.getHttpServer() as Server;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  return { nest, openApi };
}
