import { readFile, writeFile } from 'node:fs/promises';
import { buildOpenApiDocument } from '../../src/openapi.js';
import { startTestApp, type TestApp } from '../harness/app.js';

const FILE = new URL('../../openapi.json', import.meta.url);

describe('openapi.json', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({}, { jobs: false });
  });
  afterAll(() => app.stop());

  it('is what the code says (npm run openapi writes it)', async () => {
    const text = `${JSON.stringify(buildOpenApiDocument(app.nest), null, 2)}\n`;
    if (process.env['UPDATE_OPENAPI']) await writeFile(FILE, text);
    expect(await readFile(FILE, 'utf8')).toBe(text);
  });

  it('describes every error as a problem, and every answer with a schema', async () => {
    const { body } = await app.http.get('/openapi.json').expect(200);
    expect(body.openapi).toBe('3.1.0');
    const withoutSchema: string[] = [];
    for (const [path, operations] of Object.entries(body.paths as Record<string, Record<string, never>>)) {
      for (const [method, operation] of Object.entries(operations)) {
        const responses = (operation as { responses: Record<string, { content?: object }> }).responses;
        expect(responses['default']).toBeDefined();
        const success = Object.entries(responses).filter(([status]) => status.startsWith('2'));
        if (success.length === 0 || success.some(([status, answer]) => status !== '204' && !answer.content)) {
          withoutSchema.push(`${method.toUpperCase()} ${path}`);
        }
      }
    }
    expect(withoutSchema).toEqual([]);
  });
});
