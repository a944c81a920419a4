import type { Runtime } from '../infrastructure/runtime.js';

/** Tells a person where the product listens and what it runs on. */
export async function printBanner(runtime: Runtime, port: number, startedInMs: number): Promise<void> {
  const { config, databaseFacts, logger } = runtime;
  const base = `http://${config.HOST === '0.0.0.0' ? 'localhost' : config.HOST}:${port}`;
  const ffmpeg = await runtime.mediaTools.describe().then(
    (found) => `${found.ffmpeg.path} (${found.ffmpeg.source})`,
    () => 'missing: videos are refused. Install ffmpeg or set FFMPEG_PATH and FFPROBE_PATH',
  );
  const server = /^PostgreSQL [\d.]+/.exec(databaseFacts.versionText)?.[0] ?? databaseFacts.versionText;
  const lines = {
    API: `${base}/v1`,
    Documentation: `${base}/docs`,
    Database: `${server}, pgvector ${databaseFacts.vectorVersion}${config.embedded ? ` (embedded in ${config.DATA_DIR})` : ''}`,
    Jobs: config.REDIS_URL ? 'Bull on Redis (start workers with npm run start:worker)' : 'in this process',
    Storage: config.STORAGE_DRIVER === 's3' ? `S3 bucket ${config.S3_BUCKET}` : `${config.DATA_DIR}/files`,
    AI:
      runtime.ai.name === 'local' ? 'local (deterministic, no network, no key)' : `OpenAI-compatible server`,
    ffmpeg,
  };
  if (process.stdout.isTTY || !config.isProduction) {
    const width = Math.max(...Object.keys(lines).map((key) => key.length));
    console.log(
      `\n  AI Media Search is ready (${(startedInMs / 1000).toFixed(1)} s)\n\n` +
        Object.entries(lines)
          .map(([key, value]) => `  ${key.padEnd(width)}  ${value}`)
          .join('\n') +
        '\n',
    );
  } else {
    logger.info({ ...lines, startedInMs: Math.round(startedInMs) }, 'ready');
  }
  if (ffmpeg.includes('bundled')) {
    logger.warn('the ffmpeg in use is an old build for evaluation: install ffmpeg for real files');
  }
}
