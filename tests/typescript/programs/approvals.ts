/** Approves what a run asks for, while its events come on the given ways. */

import type { ClientOptions } from '@cartrita/client';
import { clientOf, given, tell } from './program.js';

interface Given {
  readonly base: string;
  readonly key: string;
  readonly message: string;
  readonly transports: NonNullable<ClientOptions['transports']>;
}

const { base, key, message, transports } = given<Given>();
const client = clientOf(base, key, { transports });
const stream = client.streamChat({ message, approval: 'always' });
const events: string[] = [];
for await (const event of stream) {
  events.push(event.event);
  if (event.event !== 'approval_required') continue;
  const { approval_id, arguments_hash } = event.data;
  await client.decideOnApproval(stream.runId ?? '', approval_id, { decision: 'approve', arguments_hash });
}
tell({ events, status: (await client.getRun(stream.runId ?? '')).status });
