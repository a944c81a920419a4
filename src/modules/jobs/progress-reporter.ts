/** At most four writes a second per job; people's eyes need no more. */
const MIN_INTERVAL_MS = 250;

/** Thins out a handler's reports before they become writes. Percentages only grow; 0..100 whole. */
export class ProgressReporter {
  private percentage = -1;
  private step: string | null = null;
  private writtenAt = -Infinity;

  constructor(
    private readonly write: (percentage: number, step: string) => Promise<void>,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** Never throws: progress that cannot be shown is no reason to fail. */
  async report(percentage: number, step: string): Promise<void> {
    const whole = Number.isFinite(percentage) ? Math.min(100, Math.max(0, Math.floor(percentage))) : 0;
    const next = Math.max(this.percentage, whole);
    const label = step.slice(0, 100);
    if (next === this.percentage && label === this.step) return;
    // A new step is shown at once; a few percent more can wait for the next report.
    if (label === this.step && this.clock() - this.writtenAt < MIN_INTERVAL_MS) return;
    this.percentage = next;
    this.step = label;
    this.writtenAt = this.clock();
    await this.write(next, label).catch(() => undefined);
  }
}
