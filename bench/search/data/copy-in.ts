import { once } from 'node:events';
import type { Socket } from 'node:net';
import type pg from 'pg';

/** A value of a binary row. Numbers are int4; for other types see {@link int2}, {@link int8} and {@link real}. */
export type BinaryValue = Buffer | string | number | boolean | Date | null;

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const CHUNK_BYTES = 1 << 18;
/** Microseconds between 1970, where JavaScript counts from, and 2000, where PostgreSQL does. */
const EPOCH_MICROSECONDS = 946_684_800_000_000n;

export const int2 = (value: number): Buffer => sized(2, (buffer) => buffer.writeInt16BE(value));
export const int8 = (value: number): Buffer => sized(8, (buffer) => buffer.writeBigInt64BE(BigInt(value)));
export const real = (value: number): Buffer => sized(4, (buffer) => buffer.writeFloatBE(value));
export const uuidBytes = (value: string): Buffer => Buffer.from(value.replaceAll('-', ''), 'hex');
/** The binary form of jsonb: a version byte and the text. */
export const jsonb = (value: unknown): Buffer => Buffer.from(`\x01${JSON.stringify(value)}`);

/** The binary form of a text[] of one dimension. */
export function textArray(values: readonly string[]): Buffer {
  const head = Buffer.alloc(values.length === 0 ? 12 : 20);
  head.writeInt32BE(values.length === 0 ? 0 : 1, 0);
  head.writeInt32BE(25, 8);
  if (values.length > 0) {
    head.writeInt32BE(values.length, 12);
    head.writeInt32BE(1, 16);
  }
  return Buffer.concat([
    head,
    ...values.flatMap((value) => [lengthOf(Buffer.byteLength(value)), Buffer.from(value)]),
  ]);
}

/** What `pg` asks of a query object; its own types leave out the two messages of COPY. */
interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
  stream: Socket;
}

/**
 * Loads rows by COPY ... (FORMAT binary), streaming: while the server stores a chunk, the next one is made.
 * @param target table and columns, e.g. `tags (user_id, id, name)`
 */
export function copyIn(client: pg.Client, target: string, rows: Iterable<BinaryValue[]>): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | null = null;
    const submittable = {
      submit: (connection: CopyConnection) => connection.query(`COPY ${target} FROM STDIN (FORMAT binary)`),
      handleCopyInResponse: (connection: CopyConnection) => {
        sendRows(connection, rows).catch((error: Error) => connection.sendCopyFail(error.message));
      },
      handleError: (error: Error) => void (failure = error),
      handleCommandComplete: () => undefined,
      handleReadyForQuery: () => (failure ? reject(failure) : resolve()),
    };
    client.query(submittable as unknown as pg.Submittable);
  });
}

async function sendRows(connection: CopyConnection, rows: Iterable<BinaryValue[]>): Promise<void> {
  let parts: Buffer[] = [SIGNATURE];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    connection.sendCopyFromChunk(Buffer.concat(parts));
    parts = [];
    bytes = 0;
    if (connection.stream.writableNeedDrain) await once(connection.stream, 'drain');
  };
  for (const row of rows) {
    parts.push(int2(row.length));
    for (const value of row) {
      const field = encode(value);
      parts.push(lengthOf(field === null ? -1 : field.length));
      if (field !== null) parts.push(field);
      bytes += 4 + (field?.length ?? 0);
    }
    if (bytes >= CHUNK_BYTES) await flush();
  }
  parts.push(int2(-1));
  await flush();
  connection.endCopyFrom();
}

function encode(value: BinaryValue): Buffer | null {
  if (value === null || Buffer.isBuffer(value)) return value;
  if (typeof value === 'string') return Buffer.from(value);
  if (typeof value === 'boolean') return Buffer.from([value ? 1 : 0]);
  if (typeof value === 'number') return lengthOf(value);
  const microseconds = BigInt(value.getTime()) * 1_000n - EPOCH_MICROSECONDS;
  return sized(8, (buffer) => buffer.writeBigInt64BE(microseconds));
}

const lengthOf = (value: number): Buffer => sized(4, (buffer) => buffer.writeInt32BE(value));

function sized(bytes: number, write: (buffer: Buffer) => void): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  write(buffer);
  return buffer;
}
