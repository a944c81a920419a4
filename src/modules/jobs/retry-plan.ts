/** What the plan of a manual retry needs to know of a job. */
export interface PlannedJob {
  id: string;
  jobType: string;
  status: string;
  dependsOn: string[];
  config: Record<string, unknown>;
}

export interface RetryPlan {
  /** Rows to be written, the repeated job first, each after what it depends on. */
  newJobs: {
    id: string;
    retryOf: string;
    jobType: string;
    dependsOn: string[];
    config: Record<string, unknown>;
  }[];
  /** Jobs that are still blocked and now wait for a repeated job as well. */
  addedDependencies: { jobId: string; dependsOn: string[] }[];
}

const ENDED = new Set(['completed', 'failed', 'cancelled']);

/**
 * Repeating one step of a file makes what was built on it stale: whoever depends on it, directly or not, is repeated
 * after it, so that for example the text found at the second try gets into the embeddings.
 * @param job the failed or cancelled job that is to be repeated
 * @param siblings the newest job of every kind of the same file, in the order they were written
 * @param newId makes an id for a new row
 */
export function planRetry(job: PlannedJob, siblings: PlannedJob[], newId: () => string): RetryPlan {
  const repeatedBy = new Map([[job.id, newId()]]);
  const plan: RetryPlan = {
    newJobs: [repeat(job, repeatedBy, job.dependsOn)],
    addedDependencies: [],
  };
  for (const sibling of siblings) {
    if (sibling.id === job.id) continue;
    const repeated = sibling.dependsOn.flatMap((id) => repeatedBy.get(id) ?? []);
    if (repeated.length === 0) continue;
    if (sibling.status === 'blocked') {
      plan.addedDependencies.push({ jobId: sibling.id, dependsOn: repeated });
      continue;
    }
    repeatedBy.set(sibling.id, newId());
    const before = sibling.dependsOn.map((id) => repeatedBy.get(id) ?? id);
    // One that runs, or is about to, may still read the old state: its repetition comes after it.
    plan.newJobs.push(
      repeat(sibling, repeatedBy, ENDED.has(sibling.status) ? before : [...before, sibling.id]),
    );
  }
  return plan;
}

function repeat(
  job: PlannedJob,
  repeatedBy: Map<string, string>,
  dependsOn: string[],
): RetryPlan['newJobs'][number] {
  const id = repeatedBy.get(job.id) as string;
  return { id, retryOf: job.id, jobType: job.jobType, dependsOn, config: job.config };
}
