import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal } from '../../infrastructure/http/principal.js';
import { PageQuery } from '../../infrastructure/http/pagination.dto.js';
import { RequireScope } from '../../infrastructure/http/route-access.js';
import { AuditLogService } from './audit-log.service.js';
import { AuditLogPage } from './dto/audit.dto.js';

@ApiTags('audit')
@Controller('v1/audit-logs')
export class AuditController {
  constructor(@Inject(AuditLogService) private readonly auditLog: AuditLogService) {}

  @Get()
  @RequireScope('account:read')
  @ApiOperation({ summary: 'What happened in your account, newest first' })
  @ApiOkResponse({ type: AuditLogPage })
  list(@CurrentPrincipal() principal: Principal, @Query() page: PageQuery): Promise<AuditLogPage> {
    return this.auditLog.list(principal.userId, page);
  }
}
