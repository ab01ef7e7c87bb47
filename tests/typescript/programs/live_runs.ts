/** Cancels, approves and resumes runs over one live session. */

import { clientOf, given, outcome, tell } from './program.js';

interface Given {
  readonly base: string;
  readonly key: string;
  readonly long: string;
  readonly waits: string;
}

const { base, key, long, waits } = given<Given>();
const session = clientOf(base, key).openLiveSession();

const stopped = session.chat({ message: long });
for await (const { event } of stopped) {
  if (event === 'token') break;
}
session.cancel(stopped.runId ?? '');
const followed = session.resume(stopped.runId ?? '');
tell({ name: 'cancelled', ...(await outcome(() => followed.text())) });

const asking = session.chat({ message: waits, approval: 'always' });
const events: string[] = [];
for await (const event of asking) {
  events.push(event.event);
  if (event.event !== 'approval_required') continue;
  const { approval_id, arguments_hash } = event.data;
  session.ack(asking.runId ?? '', 1);
  await session.approve(asking.runId ?? '', approval_id, { decision: 'approve', arguments_hash });
}
tell({ name: 'approved', events });
const again = { decision: 'deny', arguments_hash: 'none' } as const;
const none = `appr_${'0'.repeat(32)}`;
tell({ name: 'refused', ...(await outcome(() => session.approve(asking.runId ?? '', none, again))) });

const whole = session.chat({ message: 'Once more.' });
tell({ name: 'whole', text: await whole.text() });
tell({ name: 'resumed', text: await session.resume(whole.runId ?? '', 1).text() });
tell({ name: 'unknown', ...(await outcome(() => session.resume(`run_${'0'.repeat(32)}`).text())) });
session.close();
