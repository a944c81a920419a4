/**
 * One-shot: creates the bucket S3_BUCKET at S3_ENDPOINT when it is not there yet. Works with any S3-compatible store.
 * Environment: S3_ENDPOINT, S3_REGION, S3_BUCKET, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY, S3_FORCE_PATH_STYLE.
 * Exit status 0 when the bucket exists afterwards, else 1 with the store's own words.
 */
import { CreateBucketCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';

const {
  S3_ENDPOINT,
  S3_REGION = 'us-east-1',
  S3_BUCKET,
  S3_ACCESS_KEY_ID,
  S3_SECRET_ACCESS_KEY,
} = process.env;

const client = new S3Client({
  endpoint: S3_ENDPOINT,
  region: S3_REGION,
  forcePathStyle: process.env.S3_FORCE_PATH_STYLE === 'true',
  credentials: { accessKeyId: S3_ACCESS_KEY_ID, secretAccessKey: S3_SECRET_ACCESS_KEY },
  requestChecksumCalculation: 'WHEN_REQUIRED',
  maxAttempts: 10,
});

/** @returns whether the bucket was made now, rather than found */
async function ensureBucket() {
  try {
    await client.send(new HeadBucketCommand({ Bucket: S3_BUCKET }));
    return false;
  } catch (error) {
    if (error.$metadata?.httpStatusCode !== 404) throw error;
    await client.send(new CreateBucketCommand({ Bucket: S3_BUCKET }));
    return true;
  }
}

try {
  console.log(`bucket ${S3_BUCKET} ${(await ensureBucket()) ? 'created' : 'is there'}`);
} catch (error) {
  const status = error.$metadata?.httpStatusCode;
  console.error(
    `no bucket ${S3_BUCKET} at ${S3_ENDPOINT}: ${status ? `status ${status}, ` : ''}${error.message}`,
  );
  process.exitCode = 1;
}
