import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Injectable,
  Param,
  Post,
  type PipeTransform,
} from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiCreatedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { errors } from '../../../infrastructure/errors/app-error.js';
import { AdminOnly } from '../../../infrastructure/http/route-access.js';
import {
  ActivateEmbeddingModelRequest,
  EmbeddingModelList,
  EmbeddingModelResponse,
  RegisterEmbeddingModelRequest,
  ReindexEstimate,
} from './dto/embedding-models.dto.js';
import { EmbeddingModelsService } from './embedding-models.service.js';

const MAX_SMALLINT = 32_767;

@Injectable()
class ParseModelIdPipe implements PipeTransform<string, number> {
  transform(value: string): number {
    const id = /^\d{1,5}$/.test(value) ? Number(value) : 0;
    if (id < 1 || id > MAX_SMALLINT)
      throw errors.badRequest('invalid-id', "The id in the path is not a model's number.");
    return id;
  }
}

const ModelId = (): ParameterDecorator => Param('id', new ParseModelIdPipe());
const ApiModelId = (): MethodDecorator => ApiParam({ name: 'id', type: 'integer', example: 1 });

@ApiTags('admin')
@AdminOnly()
@Controller('v1/admin/embedding-models')
export class EmbeddingModelsController {
  constructor(@Inject(EmbeddingModelsService) private readonly models: EmbeddingModelsService) {}

  @Get()
  @ApiOperation({ summary: 'Embedding models, and how complete the vectors of each are' })
  @ApiOkResponse({ type: EmbeddingModelList })
  list(): Promise<EmbeddingModelList> {
    return this.models.list();
  }

  @Post()
  @ApiOperation({ summary: 'Register a model that is built beside the active one' })
  @ApiCreatedResponse({ type: EmbeddingModelResponse })
  register(@Body() request: RegisterEmbeddingModelRequest): Promise<EmbeddingModelResponse> {
    return this.models.register(request);
  }

  @Get(':id/estimate')
  @ApiModelId()
  @ApiOperation({ summary: 'What embedding the missing files would take and cost' })
  @ApiOkResponse({ type: ReindexEstimate })
  estimate(@ModelId() id: number): Promise<ReindexEstimate> {
    return this.models.estimate(id);
  }

  @Post(':id/reindex')
  @HttpCode(202)
  @ApiModelId()
  @ApiOperation({ summary: 'Embed the missing files in the background; start or continue' })
  @ApiAcceptedResponse({ type: EmbeddingModelResponse })
  reindex(@ModelId() id: number): Promise<EmbeddingModelResponse> {
    return this.models.reindex(id);
  }

  @Post(':id/activate')
  @HttpCode(200)
  @ApiModelId()
  @ApiOperation({ summary: 'Let search use this model: the switch, and the switch back' })
  @ApiOkResponse({ type: EmbeddingModelResponse })
  activate(
    @ModelId() id: number,
    @Body() request: ActivateEmbeddingModelRequest,
  ): Promise<EmbeddingModelResponse> {
    return this.models.activate(id, request.force ?? false);
  }

  @Delete(':id/vectors')
  @HttpCode(202)
  @ApiModelId()
  @ApiOperation({ summary: 'Give a model up and delete its vectors in the background' })
  @ApiAcceptedResponse({ type: EmbeddingModelResponse })
  dropVectors(@ModelId() id: number): Promise<EmbeddingModelResponse> {
    return this.models.dropVectors(id);
  }
}
