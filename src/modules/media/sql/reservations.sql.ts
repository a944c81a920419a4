import { Prisma } from '../../../infrastructure/database/generated/client.js';

/**
 * Holds a reservation that has not expired to the end of the transaction; no row when it has. The sweep's claim below
 * waits for this lock, and this waits for the claim, so a file is never committed while its object is swept.
 */
export const holdReservation = (userId: string, id: string): Prisma.Sql => Prisma.sql`
    SELECT id FROM upload_reservations
    WHERE user_id = ${userId}::uuid AND id = ${id}::uuid AND expires_at > now()
    FOR UPDATE`;

export interface ClaimedReservation {
  storageKey: string | null;
}

/** Makes an expired reservation expired for good; no row when its upload has been committed or given back meanwhile. */
export const claimExpiredReservation = (userId: string, id: string): Prisma.Sql => Prisma.sql`
    UPDATE upload_reservations SET expires_at = to_timestamp(0)
    WHERE user_id = ${userId}::uuid AND id = ${id}::uuid AND expires_at <= now()
    RETURNING storage_key AS "storageKey"`;
