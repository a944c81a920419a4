import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../infrastructure/database/database.js';
import { OBJECT_STORAGE } from '../../infrastructure/infrastructure.tokens.js';
import type { ObjectStorage } from '../../infrastructure/storage/object-storage.js';
import { mediaPrefix } from '../../infrastructure/storage/storage-keys.js';
import { MediaRepository } from './media.repository.js';

/** Removes one file for good. */
@Injectable()
export class MediaPurger {
  constructor(
    private readonly database: Database,
    private readonly media: MediaRepository,
    @Inject(OBJECT_STORAGE) private readonly storage: ObjectStorage,
  ) {}

  /**
   * Removes the objects of a file, then its rows, in the name of its owner. The caller has made sure that the file's
   * time in the trash is over, so nobody can bring it back half-way. Objects go first: when the process dies in
   * between, the row is still there to be found by the next purge.
   * @throws StorageUnavailableError: nothing is lost, the next purge goes on
   */
  async purge(userId: string, id: string): Promise<void> {
    for await (const object of this.storage.list(mediaPrefix(userId, id)))
      await this.storage.delete(object.key);
    await this.database.runAs({ kind: 'user', userId }, (tx) => this.media.delete(tx, userId, id));
  }
}
