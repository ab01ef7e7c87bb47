/** Reads runs that together tell an event of every kind, on each way and in a live session. */

import type { ChatRequest, ChatStream, ChatStreamEvent } from '@cartrita/client';
import { clientOf, given, tell } from './program.js';

const { base, key } = given<{ base: string; key: string }>();
const BEYOND = 9_000_000;

/** What a way has to be able to do. */
interface Reader {
  chat(request: ChatRequest): ChatStream;
  follow(runId: string, after: number): ChatStream;
}

async function everything(reader: Reader, queues: boolean): Promise<ChatStreamEvent[]> {
  const client = clientOf(base, key);
  const found: ChatStreamEvent[] = [];
  const all = reader.chat({ message: 'Do everything.' });
  for await (const event of all) found.push(event);
  for await (const event of reader.chat({ message: 'Please fail.' })) found.push(event);
  for await (const event of reader.follow(all.runId ?? '', BEYOND)) found.push(event);
  const asking = reader.chat({ message: 'Please calculate.', approval: 'always' });
  for await (const event of asking) {
    found.push(event);
    if (event.event === 'approval_required') await client.cancelRun(asking.runId ?? '');
  }
  if (queues) found.push(await queued(reader));
  return found;
}

/** The place in the queue of a conversation that is still answering. */
async function queued(reader: Reader): Promise<ChatStreamEvent> {
  const client = clientOf(base, key);
  const conversation_id = (await client.createConversation()).id;
  const slow = reader.chat({ message: 'Go slowly.', conversation_id });
  for await (const { event } of slow) if (event === 'token') break;
  const waiting = reader.chat({ message: 'And then?', conversation_id, busy: 'enqueue' });
  for await (const event of waiting) {
    if (event.event !== 'queued') continue;
    await client.cancelRun(slow.runId ?? '');
    return event;
  }
  throw new Error('It did not wait.');
}

for (const way of ['sse', 'websocket', 'polling'] as const) {
  const client = clientOf(base, key, { transports: [way] });
  const reader: Reader = {
    chat: (request) => client.streamChat(request),
    follow: (runId, after) => client.getRunEvents(runId, { after }),
  };
  tell({ way, events: await everything(reader, way !== 'polling') });
}

const session = clientOf(base, key).openLiveSession();
const live: Reader = {
  chat: (request) => session.chat(request),
  follow: (runId, after) => session.resume(runId, after),
};
tell({ way: 'live', events: await everything(live, true) });
session.close();
