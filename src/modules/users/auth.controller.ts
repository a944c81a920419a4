import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { Public } from '../../infrastructure/http/route-access.js';
import { AuthService } from './auth.service.js';
import { LoginRequest, RefreshRequest, RegisterRequest, SessionResponse } from './dto/auth.dto.js';

@ApiTags('auth')
@Controller('v1/auth')
export class AuthController {
  constructor(@Inject(AuthService) private readonly auth: AuthService) {}

  @Post('register')
  @Public()
  @ApiOperation({ summary: 'Create an account and log in' })
  @ApiCreatedResponse({ type: SessionResponse })
  register(@Body() request: RegisterRequest): Promise<SessionResponse> {
    return this.auth.register(request);
  }

  @Post('login')
  @Public()
  @HttpCode(200)
  @ApiOperation({ summary: 'Log in' })
  @ApiOkResponse({ type: SessionResponse })
  login(@Body() request: LoginRequest): Promise<SessionResponse> {
    return this.auth.login(request);
  }

  @Post('refresh')
  @Public()
  @HttpCode(200)
  @ApiOperation({ summary: 'Replace a refresh token by a new pair of tokens' })
  @ApiOkResponse({ type: SessionResponse })
  refresh(@Body() request: RefreshRequest): Promise<SessionResponse> {
    return this.auth.refresh(request.refreshToken);
  }

  @Post('logout')
  @Public()
  @HttpCode(204)
  @ApiOperation({ summary: 'End the session of a refresh token' })
  @ApiNoContentResponse()
  logout(@Body() request: RefreshRequest): Promise<void> {
    return this.auth.logout(request.refreshToken);
  }
}
