import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { currentScope } from '../../infrastructure/context/request-context.js';
import type { Transaction } from '../../infrastructure/database/database.js';
import type { Prisma } from '../../infrastructure/database/generated/client.js';

export interface AuditEvent {
  /** e.g. `media.uploaded`; at most 50 characters. */
  eventType: string;
  category: 'auth' | 'upload' | 'search' | 'billing' | 'admin' | 'security';
  /** e.g. `create`, `update`, `delete`. */
  action: string;
  target?: { type: string; id: string };
  description?: string;
  oldValues?: Record<string, unknown>;
  newValues?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  riskLevel?: 'low' | 'medium' | 'high' | 'critical';
  /** The user concerned, when the system acts before anybody is logged in. */
  userId?: string;
}

/** Writes the audit log. Rows are inserted in the transaction of the change they record, and never changed. */
@Injectable()
export class AuditService {
  /** Records one event; actor, address and request id come from the scope. */
  async record(tx: Transaction, event: AuditEvent): Promise<void> {
    const scope = currentScope();
    const actor = scope?.actor ?? null;
    const json = (value: Record<string, unknown> | undefined): Prisma.InputJsonObject | undefined =>
      value as Prisma.InputJsonObject | undefined;
    await tx.auditLog.create({
      data: {
        id: uuidv7(),
        eventType: event.eventType,
        eventCategory: event.category,
        userId: actor?.userId ?? event.userId ?? null,
        actorType: actor?.kind ?? 'system',
        action: event.action,
        targetType: event.target?.type ?? null,
        targetId: event.target?.id ?? null,
        description: event.description ?? null,
        ipAddress: scope?.ipAddress ?? null,
        userAgent: scope?.userAgent ?? null,
        requestId: scope?.requestId ?? null,
        oldValues: json(event.oldValues),
        newValues: json(event.newValues),
        metadata: json(event.metadata) ?? {},
        riskLevel: event.riskLevel ?? 'low',
      },
      select: { id: true },
    });
  }
}
