import { Body, Controller, Delete, Get, HttpCode, Inject, Patch, Post } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { CurrentPrincipal, type Principal } from '../../infrastructure/http/principal.js';
import { RequireScope, SecretAnswer, SessionOnly } from '../../infrastructure/http/route-access.js';
import { UuidParam } from '../../infrastructure/http/uuid-param.js';
import { ApiKeysService } from './api-keys.service.js';
import {
  ApiKeyList,
  ApiKeyRequest,
  NewApiKeyResponse,
  ProfileResponse,
  ProfileUpdate,
} from './dto/users.dto.js';
import { ProfileService } from './profile.service.js';

@ApiTags('users')
@Controller('v1/me')
export class UsersController {
  constructor(
    @Inject(ProfileService) private readonly profile: ProfileService,
    @Inject(ApiKeysService) private readonly apiKeys: ApiKeysService,
  ) {}

  @Get()
  @RequireScope('account:read')
  @ApiOperation({ summary: 'Your account' })
  @ApiOkResponse({ type: ProfileResponse })
  read(@CurrentPrincipal() principal: Principal): Promise<ProfileResponse> {
    return this.profile.read(principal.userId);
  }

  @Patch()
  @RequireScope('account:write')
  @ApiOperation({ summary: 'Change your account' })
  @ApiOkResponse({ type: ProfileResponse })
  update(@CurrentPrincipal() principal: Principal, @Body() update: ProfileUpdate): Promise<ProfileResponse> {
    return this.profile.update(principal.userId, update);
  }

  @Get('api-keys')
  @SessionOnly()
  @ApiOperation({ summary: 'Your API keys, without their secrets' })
  @ApiOkResponse({ type: ApiKeyList })
  listKeys(@CurrentPrincipal() principal: Principal): Promise<ApiKeyList> {
    return this.apiKeys.list(principal);
  }

  @Post('api-keys')
  @SessionOnly()
  @SecretAnswer(
    'List your keys (GET /v1/me/api-keys), delete the one whose secret you do not have, and make a new one.',
  )
  @ApiOperation({ summary: 'Make an API key; it is shown this once' })
  @ApiCreatedResponse({ type: NewApiKeyResponse })
  createKey(
    @CurrentPrincipal() principal: Principal,
    @Body() request: ApiKeyRequest,
  ): Promise<NewApiKeyResponse> {
    return this.apiKeys.create(principal, request);
  }

  @Delete('api-keys/:id')
  @SessionOnly()
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an API key; a second later it works nowhere' })
  @ApiNoContentResponse()
  revokeKey(@CurrentPrincipal() principal: Principal, @UuidParam('id') id: string): Promise<void> {
    return this.apiKeys.revoke(principal, id);
  }
}
