import { Inject, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { AiProviders, PricedUsage } from '../../../infrastructure/ai/ai.types.js';
import { cleanLine } from '../../../infrastructure/ai/clean-text.js';
import { measurePicture } from '../../../infrastructure/ai/local/local-image-analyzer.js';
import { errors } from '../../../infrastructure/errors/app-error.js';
import { AI_PROVIDERS, LOGGER } from '../../../infrastructure/infrastructure.tokens.js';
import { detectFileType } from '../../../infrastructure/media-tools/file-type-detector.js';
import { MediaTools } from '../../../infrastructure/media-tools/media-tools.js';
import { MediaRejectedError } from '../../../infrastructure/media-tools/media-tools.types.js';
import type { Logger } from '../../../infrastructure/observability/logger.js';
import { UsageService } from '../../billing/usage.service.js';
import { validPerceptualHash } from '../pipeline/labels.js';
import { cleanFilename } from '../text-rules.js';
import { receiveForm, type ReceivedForm } from '../upload/multipart.js';
import { refuseRestOfBody } from '../../../infrastructure/http/refuse-body.js';
import { StagingArea } from '../upload/staging-area.js';
import { queryPictureText } from './query-picture-text.js';

/** A picture that somebody searches with: accepted, upright, and on disk only as long as the request lasts. */
export interface QueryPicture {
  /** Hexadecimal SHA-256 of the bytes sent: tells whether the very file is stored. */
  sha256: string;
  mimeType: string;
  /** As it would be stored: a name, never a path. */
  originalFilename: string;
  /** The words in the file itself (EXIF ImageDescription). */
  description: string | null;
  /** Upright JPEG on white, at most 2,048 pixels a side: what a stored picture is analysed from. */
  workingCopyPath: string;
}

/** Makes one provider call within the plan's budget and records what it cost. */
export type PaidCall = <T extends { usage: PricedUsage }>(
  estimate: PricedUsage,
  call: () => Promise<T>,
) => Promise<T>;

/**
 * Pictures to search with. They pass the checks of an upload and are looked at like a stored picture, but no row,
 * object, job or staged file is left, whatever happens. What a crash of the process leaves in the staging folder, its
 * sweep removes.
 */
@Injectable()
export class QueryPictureService {
  constructor(
    @Inject(StagingArea) private readonly staging: StagingArea,
    @Inject(MediaTools) private readonly mediaTools: MediaTools,
    @Inject(UsageService) private readonly usage: UsageService,
    @Inject(AI_PROVIDERS) private readonly providers: AiProviders,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Takes a multipart form with the picture in the part `file`, and has it used. The picture's files are removed before
   * this returns.
   * @param readFields checks the form's text fields, before the picture is decoded
   * @param use gets the picture, the checked fields, and a signal that fires when the client goes away
   * @throws AppError 400 form not valid, 413 larger than the plan's files; MediaRejectedError by content, also for a
   *   video; whatever `readFields` and `use` throw
   */
  async withPicture<Fields, Result>(
    request: Request,
    response: Response,
    readFields: (fields: ReceivedForm['fields']) => Fields,
    use: (picture: QueryPicture, fields: Fields, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const staged: string[] = [];
    const gone = new AbortController();
    const onClose = (): void => {
      if (!response.writableEnded) gone.abort(errors.badRequest('request-aborted', 'The connection closed.'));
    };
    response.once('close', onClose);
    try {
      const { maxFileSizeBytes } = await this.usage.planLimits();
      await this.staging.prepare();
      const form = await receiveForm(
        request,
        { stagingDir: this.staging.directory, maxFileSizeBytes },
        staged,
      );
      const fields = readFields(form.fields);
      return await use(await this.accept(form, staged, gone.signal), fields, gone.signal);
    } catch (error) {
      refuseRestOfBody(request, response);
      throw error;
    } finally {
      response.off('close', onClose);
      await this.discard(staged);
    }
  }

  /** Perceptual hash alone: measured here, without any provider. Null when the picture gives none. */
  async hash(picture: QueryPicture): Promise<string | null> {
    return validPerceptualHash((await measurePicture(picture.workingCopyPath)).perceptualHash);
  }

  /**
   * Looks at the picture like the image analysis of a stored one, and puts what is found into the text that such a
   * picture would be embedded with. The text analysis of a stored picture, a second call that mostly rewords the first,
   * is left out: a person waits.
   * @param pay makes the call to the image analyser
   * @throws ProviderError, and what `pay` throws
   */
  async describe(
    picture: QueryPicture,
    pay: PaidCall,
    signal: AbortSignal,
  ): Promise<{ perceptualHash: string | null; text: string }> {
    const { imageAnalyzer } = this.providers;
    const { analysis } = await pay(imageAnalyzer.estimate(), () =>
      imageAnalyzer.analyze({ path: picture.workingCopyPath }, signal),
    );
    return {
      perceptualHash: validPerceptualHash(analysis.perceptualHash),
      text: queryPictureText(picture, analysis),
    };
  }

  private async accept(form: ReceivedForm, staged: string[], signal: AbortSignal): Promise<QueryPicture> {
    const { file, subtitles } = form;
    if (subtitles) {
      throw errors.validation([
        { pointer: '/subtitles', detail: 'subtitles belong to a video, and a search takes a picture' },
      ]);
    }
    // Before the inspection, which would start ffmpeg for a video.
    const detected = await detectFileType(file.path);
    if (detected.fileType !== 'image') {
      throw new MediaRejectedError(
        'unsupported-media-type',
        'A search takes a picture, and this file is a video. Send one of its frames.',
      );
    }
    const folder = await this.staging.makeFolder();
    staged.push(folder);
    const { probe, workingCopy } = await this.mediaTools.openPicture(file.path, detected, folder, signal);
    return {
      sha256: file.sha256,
      mimeType: detected.mimeType,
      originalFilename: cleanFilename(file.originalFilename),
      description: cleanLine(probe.exif.description, MAX_DESCRIPTION) || null,
      workingCopyPath: workingCopy.path,
    };
  }

  /** Must not hide why it was needed. */
  private async discard(staged: string[]): Promise<void> {
    try {
      await this.staging.discard(staged);
    } catch (error) {
      this.logger.warn({ err: { message: (error as Error).message } }, 'picture of a search not removed');
    }
  }
}

/** As much as a stored picture's document takes. */
const MAX_DESCRIPTION = 1000;
