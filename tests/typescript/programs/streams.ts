/** Several streams at once, each through an address of its own; what each reader got is told. */

import type { ClientOptions } from '@cartrita/client';
import { clientOf, errorFact, given, tell } from './program.js';

interface Given {
  readonly key: string;
  readonly asked: readonly { readonly base: string; readonly message: string; readonly name: string }[];
  readonly options?: ClientOptions;
}

const { key, asked, options } = given<Given>();

async function read(base: string, message: string, name: string): Promise<void> {
  const stream = clientOf(base, key, options).streamChat({ message });
  const ids: (string | undefined)[] = [];
  const events: string[] = [];
  let text = '';
  let transport: string | undefined;
  try {
    for await (const event of stream) {
      ids.push(event.id);
      events.push(event.event);
      if (event.event === 'token') text += event.data.delta;
      if (event.event === 'token') transport ??= stream.transport;
    }
    const { runId, messageId, content } = stream;
    const final = await stream.final().catch(errorFact);
    tell({ name, ids, events, text, content, final, runId, messageId, transport, last: stream.transport });
  } catch (error) {
    tell({ name, ids, events, text, error: errorFact(error) });
  }
}

await Promise.all(asked.map(({ base, message, name }) => read(base, message, name)));
