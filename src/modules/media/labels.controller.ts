import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { PageQuery } from '../../infrastructure/http/pagination.dto.js';
import { RequireScope } from '../../infrastructure/http/route-access.js';
import { UuidParam } from '../../infrastructure/http/uuid-param.js';
import {
  CategoryListResponse,
  CategoryResponse,
  CreateLabelRequest,
  TagListResponse,
  TagResponse,
  UpdateLabelRequest,
} from './dto/labels.dto.js';
import { LabelsService } from './labels.service.js';

@ApiTags('media')
@Controller('v1/tags')
export class TagsController {
  constructor(private readonly labels: LabelsService) {}

  @Get()
  @RequireScope('media:read')
  @ApiOperation({ summary: 'Your tags by name, each with the number of its files' })
  @ApiOkResponse({ type: TagListResponse })
  list(@Query() query: PageQuery): Promise<TagListResponse> {
    return this.labels.listTags(query);
  }

  @Post()
  @RequireScope('media:write')
  @ApiOperation({ summary: 'Create a tag' })
  @ApiCreatedResponse({ type: TagResponse })
  create(@Body() request: CreateLabelRequest): Promise<TagResponse> {
    return this.labels.createTag(request);
  }

  @Patch(':id')
  @RequireScope('media:write')
  @ApiOperation({ summary: 'Rename or describe a tag; its files show the new name' })
  @ApiOkResponse({ type: TagResponse })
  update(@UuidParam('id') id: string, @Body() request: UpdateLabelRequest): Promise<TagResponse> {
    return this.labels.updateTag(id, request);
  }

  @Delete(':id')
  @HttpCode(204)
  @RequireScope('media:write')
  @ApiOperation({ summary: 'Delete a tag and take it off all files' })
  @ApiNoContentResponse()
  remove(@UuidParam('id') id: string): Promise<void> {
    return this.labels.deleteTag(id);
  }
}

@ApiTags('media')
@Controller('v1/categories')
export class CategoriesController {
  constructor(private readonly labels: LabelsService) {}

  @Get()
  @RequireScope('media:read')
  @ApiOperation({ summary: "The system's categories and your own, by name" })
  @ApiOkResponse({ type: CategoryListResponse })
  list(@Query() query: PageQuery): Promise<CategoryListResponse> {
    return this.labels.listCategories(query);
  }

  @Post()
  @RequireScope('media:write')
  @ApiOperation({ summary: 'Create a category of your own' })
  @ApiCreatedResponse({ type: CategoryResponse })
  create(@Body() request: CreateLabelRequest): Promise<CategoryResponse> {
    return this.labels.createCategory(request);
  }

  @Patch(':id')
  @RequireScope('media:write')
  @ApiOperation({ summary: 'Rename or describe a category of your own' })
  @ApiOkResponse({ type: CategoryResponse })
  update(@UuidParam('id') id: string, @Body() request: UpdateLabelRequest): Promise<CategoryResponse> {
    return this.labels.updateCategory(id, request);
  }

  @Delete(':id')
  @HttpCode(204)
  @RequireScope('media:write')
  @ApiOperation({ summary: 'Delete a category of your own and take it off all files' })
  @ApiNoContentResponse()
  remove(@UuidParam('id') id: string): Promise<void> {
    return this.labels.deleteCategory(id);
  }
}
