import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { ApiKeysService } from './api-keys.service.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { ProfileService } from './profile.service.js';
import { UsersController } from './users.controller.js';

/** Accounts: registration, log-in, profile, API keys. */
@Module({
  imports: [AuditModule],
  controllers: [AuthController, UsersController],
  providers: [AuthService, ProfileService, ApiKeysService],
})
export class UsersModule {}
