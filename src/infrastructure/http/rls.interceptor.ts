import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Observable } from 'rxjs';
import { setActor } from '../context/request-context.js';
import type { RequestWithPrincipal } from './principal.js';
import { ROUTE_ACCESS, type RouteAccess } from './route-access.js';

/**
 * Writes the frozen actor into the request's scope. It runs no query and opens no transaction: Database.run reads the
 * scope. An administrator acts as one on routes marked @AdminOnly alone, elsewhere as the user they are.
 */
@Injectable()
export class RlsInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const principal = context.switchToHttp().getRequest<RequestWithPrincipal>().principal;
    if (principal) {
      const access = this.reflector.getAllAndOverride<RouteAccess>(ROUTE_ACCESS, [
        context.getHandler(),
        context.getClass(),
      ]);
      setActor({ kind: access?.kind === 'admin' ? 'admin' : 'user', userId: principal.userId });
    }
    return next.handle();
  }
}
