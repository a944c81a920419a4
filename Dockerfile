# syntax=docker/dockerfile:1
# One image for the API, the worker and the one-shot tasks (migrations, bucket); the command decides.
#   docker build -t ai-media-search .

FROM node:24-bookworm-slim AS base
WORKDIR /app
ENV NODE_ENV=production \
    # npm and Prisma report and look for nothing from inside a container.
    NPM_CONFIG_UPDATE_NOTIFIER=false \
    NPM_CONFIG_FUND=false \
    CHECKPOINT_DISABLE=1

FROM base AS dependencies
COPY package.json package-lock.json ./
# The build tools (prisma, swc) are ordinary dependencies, so one install serves the build and the image.
# The packaged ffmpeg binaries are left out: the image has the distribution's, which are newer.
RUN PRISMA_SKIP_POSTINSTALL_GENERATE=1 npm ci --omit=dev --no-audit \
 && rm -rf node_modules/@ffmpeg-installer node_modules/@ffprobe-installer

FROM dependencies AS build
COPY tsconfig.json .swcrc prisma.config.ts ./
COPY prisma ./prisma
COPY src ./src
RUN npm run build

FROM base AS runtime
# ffmpeg for video and audio, tesseract for text in pictures, CA files for TLS to providers.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates ffmpeg tesseract-ocr \
 && rm -rf /var/lib/apt/lists/*
# Everything in /app belongs to root and is only read; what the application writes goes to /data and /tmp.
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# Migrations and the seed run from the same image; the seed uses modules of src.
COPY --from=build /app/src ./src
COPY package.json prisma.config.ts .swcrc tsconfig.json ./
COPY prisma ./prisma
COPY scripts ./scripts
COPY docker/create-bucket.mjs ./docker/create-bucket.mjs
RUN install -d -o node -g node /data
ENV HOST=0.0.0.0 \
    PORT=3000 \
    DATA_DIR=/data \
    # npm's own cache and logs, in a file system that may be written.
    NPM_CONFIG_CACHE=/tmp/npm
USER node
VOLUME /data
EXPOSE 3000
# Liveness only: a database that is away for a moment is no reason to kill the process.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# node itself is process 1, so that SIGTERM reaches it and it drains. Run with --init: ffmpeg's orphans get reaped.
CMD ["node", "dist/main.js"]
