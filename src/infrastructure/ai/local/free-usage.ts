import type { PricedUsage } from '../ai.types.js';

/** What work on this machine is booked as: counted, but free of charge. */
export function freeUsage(service: string, operation: string, model: string, requests = 1): PricedUsage {
  return {
    service,
    operation,
    model,
    billingUnit: 'per_request',
    units: requests,
    amount: '0',
    currency: 'USD',
  };
}
