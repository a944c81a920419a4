import pg from 'pg';
import { Prisma } from './generated/client.js';
import { preparationOf, type Preparation } from './prepared.js';

/** What node-postgres sends: the statement's text, its parameters, and how each column is read. */
export interface RawStatement extends Preparation {
  text: string;
  values: unknown[];
  types: pg.CustomTypesConfig;
}

const { builtins } = pg.types;
/** Array types have no names in pg-types; the numbers are from PostgreSQL's pg_type. */
const ARRAY_OF = { int8: 1016, numeric: 1231, date: 1182, timestamp: 1115, oid: 1028 } as const;

type Parse = (text: string) => unknown;

const toDecimal: Parse = (text) => new Prisma.Decimal(text);
const toDay: Parse = (text) => new Date(`${text}T00:00:00Z`);
const toUtc: Parse = (text) => new Date(`${text.replace(' ', 'T')}Z`);
// Elements of these types hold no commas, quotes or braces.
const listOf =
  (parse: Parse): Parse =>
  (text) =>
    text
      .slice(1, -1)
      .split(',')
      .filter((element) => element !== '')
      .map((element) => (element === 'NULL' ? null : parse(element)));

/**
 * Columns that Prisma gives in another form than node-postgres does: whole numbers of 64 bits as bigint, NUMERIC as
 * Decimal, dates as midnight in UTC. A statement reads the same whichever of the two runs it.
 */
const PARSERS: Readonly<Record<number, Parse>> = {
  [builtins.INT8]: BigInt,
  [builtins.OID]: BigInt,
  [ARRAY_OF.int8]: listOf(BigInt),
  [ARRAY_OF.oid]: listOf(BigInt),
  [builtins.NUMERIC]: toDecimal,
  [ARRAY_OF.numeric]: listOf(toDecimal),
  [builtins.DATE]: toDay,
  [ARRAY_OF.date]: listOf(toDay),
  [builtins.TIMESTAMP]: toUtc,
  [ARRAY_OF.timestamp]: listOf((text) => toUtc(text.replaceAll('"', ''))),
};

const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    PARSERS[oid] ?? (pg.types.getTypeParser as (oid: number, format?: string) => Parse)(oid, format),
} as pg.CustomTypesConfig;

/**
 * A statement as node-postgres sends it, from what a caller of `tx.$queryRaw` writes: `Prisma.sql` or a template.
 * @param generation of prepared statements; null: those marked as prepared are not
 * @throws TypeError for a parameter that is undefined: SQL has no such thing, and NULL must be meant
 */
export function rawStatement(
  query: Prisma.Sql | TemplateStringsArray,
  values: readonly unknown[],
  generation: number | null,
): RawStatement {
  const sql = query instanceof Prisma.Sql ? query : Prisma.sql(query, ...values);
  const { text } = sql;
  return {
    ...(generation === null ? {} : preparationOf(sql, text, generation)),
    text,
    values: sql.values.map(toParameter),
    types,
  };
}

/** Instants travel in UTC whatever the time zone of this process; all else as node-postgres writes it. */
function toParameter(value: unknown): unknown {
  if (value === undefined) throw new TypeError('a statement has a parameter that is undefined');
  if (value instanceof Date) return value.toISOString();
  if (Prisma.Decimal.isDecimal(value)) return value.toString();
  if (Array.isArray(value)) return value.map(toParameter);
  return value;
}
