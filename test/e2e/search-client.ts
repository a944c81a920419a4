import type { ExplainResponse } from '../../src/modules/search/dto/explain.dto.js';
import type { SearchResponse } from '../../src/modules/search/dto/search.response.js';
import type { Session, TestApp } from '../harness/app.js';

/** Searches as one user. */
export class SearchClient {
  constructor(
    private readonly app: TestApp,
    readonly session: Session,
  ) {}

  async search(body: object): Promise<SearchResponse> {
    const response = await this.app.http.post('/v1/search').set(this.session.headers).send(body);
    expect([response.status, response.body.errors]).toEqual([200, undefined]);
    return response.body as SearchResponse;
  }

  /** Every page of a search, to the last. */
  async pages(body: object): Promise<SearchResponse[]> {
    const pages = [await this.search(body)];
    for (let cursor = pages[0]!.nextCursor; cursor !== null; cursor = pages.at(-1)!.nextCursor) {
      pages.push(await this.search({ ...body, cursor }));
    }
    return pages;
  }

  async explain(searchId: string, mediaId: string): Promise<ExplainResponse> {
    const path = `/v1/search/${searchId}/explain?mediaId=${mediaId}`;
    return (await this.app.http.get(path).set(this.session.headers).expect(200)).body as ExplainResponse;
  }
}
