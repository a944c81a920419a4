import {
  claimJob,
  completeJob,
  lockLease,
  noteProgress,
  releaseJob,
  renewLease,
  retryJobLater,
} from './lease.sql.js';
import {
  dispatchDueJobs,
  expiredLeases,
  missedDependents,
  queueFigures,
  unblockDependents,
} from './dispatch.sql.js';
import { changedJobs } from './events.sql.js';
import { cancelJobsOfMedia, currentJobsOfMedia, lockMedia, planPriority } from './media-jobs.sql.js';

const USER = '00000000-0000-7000-8000-000000000001';
const JOB = '00000000-0000-7000-8000-000000000002';
const MEDIA = '00000000-0000-7000-8000-000000000003';
const lease = { userId: USER, jobId: JOB, fencingToken: 4n };
const failure = { code: 'code', message: 'message', hint: 'hint' };

/** So that a review sees what a change does to the statements that are sent. */
it.each([
  ['claimJob', claimJob(lease, { workerId: 'worker', seconds: 30 })],
  ['renewLease', renewLease(lease, 30)],
  ['lockLease', lockLease(lease)],
  ['noteProgress', noteProgress(lease, 50, 'reading')],
  ['completeJob', completeJob(lease, '{}')],
  ['retryJobLater', retryJobLater(lease, failure, 1_500)],
  ['releaseJob', releaseJob(lease)],
  [
    'dispatchDueJobs',
    dispatchDueJobs({ window: 100, redeliverAfterMs: 5_000, jobsPerLevel: 5, rowsPerUser: 25 }),
  ],
  ['expiredLeases', expiredLeases(100)],
  ['missedDependents', missedDependents(100)],
  ['unblockDependents', unblockDependents(USER, MEDIA)],
  ['queueFigures', queueFigures()],
  ['changedJobs', changedJobs(USER, 1n, null, 200)],
  ['changedJobs, a later page', changedJobs(USER, 1n, { id: JOB, micros: 2n }, 200)],
  ['currentJobsOfMedia', currentJobsOfMedia(USER, [MEDIA])],
  ['lockMedia', lockMedia(USER, MEDIA)],
  ['planPriority', planPriority(USER)],
  ['cancelJobsOfMedia', cancelJobsOfMedia(USER, MEDIA)],
])('%s is the statement that was reviewed', (_name, { text, values }) => {
  expect(`${text.trim()}\n-- ${values.map(String).join(' | ')}`).toMatchSnapshot();
});
