/** Reads one stream again and again, its bytes split in every way, its lines ended in every way. */

import { clientOf, given, tell } from './program.js';

const { sizes } = given<{ sizes: readonly number[] }>();
const PLACE = { conversation_id: 'conv_1', run_id: 'run_1', message_id: 'msg_1' };
const DELTAS = ['Grüße', ' 🌊🙂', ' 안녕', '\n', 'end'];

function frames(): string[] {
  let position = 0;
  const tokens = DELTAS.map((delta, index) => {
    const frame = { event: 'token', data: { delta, content: delta, position } };
    position += [...delta].length;
    return `id: run_1.${index + 2}\ndata: ${JSON.stringify(frame)}`;
  });
  const start = { event: 'stream_start', data: { ...PLACE, agent_type: 'supervisor', model: 'm' } };
  const done = { event: 'done', data: { ...PLACE, final_response: DELTAS.join(''), agent_type: 'supervisor' } };
  const pretty = JSON.stringify(done, null, 1).split('\n').join('\ndata: ');
  return [
    'retry: 10\nid: run_1.0',
    `id: run_1.1\ndata: ${JSON.stringify(start)}`,
    ':',
    ...tokens,
    `data:${JSON.stringify({ event: 'queued', data: { position: 1 } })}\nunknown: field\nevent`,
    'id: run_1.7\n: not for readers',
    `id: run_1.8\ndata: ${pretty}`,
  ];
}

/** An answer whose body comes in pieces of this size. */
function answer(bytes: Uint8Array, size: number): Response {
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, (at += size)));
    },
  });
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } });
}

for (const end of ['\n', '\r\n', '\r']) {
  const text = frames().map((frame) => `${frame}\n\n`).join('').replaceAll('\n', end);
  const bytes = new TextEncoder().encode(text);
  for (const size of sizes) {
    const client = clientOf('http://a.example', 'key', { fetch: async () => answer(bytes, size) });
    const stream = client.streamChat({ message: 'Hello' });
    const events: string[] = [];
    const contents: string[] = [];
    for await (const { event } of stream) {
      events.push(event);
      contents.push(stream.content);
    }
    tell({ end, size, events, contents, text: await stream.text(), last: stream.lastEventId });
  }
}
