import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** Metrics of this process, in Prometheus' text format at /metrics. */
export class Metrics {
  readonly registry = new Registry();
  /** Labels hold route patterns, never ids or queries. */
  readonly httpSeconds = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Duration of HTTP requests by method, route pattern and status',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  });
  readonly transactionSeconds = new Histogram({
    name: 'database_transaction_duration_seconds',
    help: 'Duration of database transactions by outcome',
    labelNames: ['outcome'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }
}
