/** Reads a run that waits behind a proxy which cuts each minute, by a clock that the program turns. */

import { clientOf, outcome, tell } from './program.js';

const PLACE = { conversation_id: 'conv_1', run_id: 'run_1', message_id: 'msg_1' };
const CONNECTIONS = 7;
const MINUTE_MS = 60_000;
let clock = 0;
let connections = 0;
performance.now = () => clock;

function told(seq: number, event: string, data: object): string {
  return `id: run_1.${seq}\ndata: ${JSON.stringify({ event, data: { ...PLACE, ...data } })}\n\n`;
}

const HEARTBEAT = ': heartbeat\n\n';
const START = told(1, 'stream_start', { agent_type: 'supervisor', model: 'm' });
const DONE = told(2, 'done', { final_response: 'Here.', agent_type: 'supervisor', sources: [] });

/** Two pieces, a minute apart, and then a cut. */
function connection(number: number): ReadableStream<Uint8Array> {
  const pieces = [number === 1 ? START : HEARTBEAT, number === CONNECTIONS ? DONE : HEARTBEAT];
  return new ReadableStream(
    {
      pull: (controller) => {
        const piece = pieces.shift();
        if (piece === undefined) return controller.error(new TypeError('The connection broke.'));
        if (pieces.length === 0) clock += MINUTE_MS;
        controller.enqueue(new TextEncoder().encode(piece));
      },
    },
    { highWaterMark: 0 },
  );
}

const cut: typeof fetch = async () => {
  connections += 1;
  return new Response(connection(connections), { headers: { 'Content-Type': 'text/event-stream' } });
};

const client = clientOf('http://127.0.0.1:9', 'ck_key', {
  fetch: cut,
  transports: ['sse'],
  patience: { run: 2 * MINUTE_MS },
});
const found = await outcome(() => client.streamChat({ message: 'Hello' }).text());
tell({ connections, ...found });
