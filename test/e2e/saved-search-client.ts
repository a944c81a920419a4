import type {
  SavedSearchResponse,
  SavedSearchRunResponse,
} from '../../src/modules/search/dto/saved-searches.dto.js';
import type { Session, TestApp } from '../harness/app.js';
import { searchesUsed } from './use-library.js';

/** What the specs of saved searches ask of the API. */
export class SavedSearchClient {
  constructor(private readonly app: TestApp) {}

  send(session: Session, method: 'post' | 'get' | 'patch' | 'delete', path: string, body?: object) {
    return this.app.http[method](`/v1/saved-searches${path}`).set(session.headers).send(body);
  }

  async save(session: Session, name: string, search: object): Promise<SavedSearchResponse> {
    const { status, body } = await this.send(session, 'post', '', { name, search });
    expect([status, body]).toEqual([201, expect.objectContaining({ name: name.trim() })]);
    return body as SavedSearchResponse;
  }

  async run(session: Session, id: string, body?: object): Promise<SavedSearchRunResponse> {
    const answer = await this.send(session, 'post', `/${id}/run`, body);
    expect([answer.status, answer.body.code]).toEqual([200, undefined]);
    return answer.body as SavedSearchRunResponse;
  }

  searchesUsed(session: Session): Promise<number> {
    return searchesUsed(this.app, session);
  }
}
