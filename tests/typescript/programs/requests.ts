/** Tells what the client sends: with which key, under which ids, to which address. */

import type { CartritaApiClient, ClientOptions } from '@cartrita/client';
import { clientOf, given, outcome, tell } from './program.js';
import { served } from './wire.js';

interface Given {
  readonly what: keyof typeof ASKED;
  readonly id?: string;
  readonly times?: number;
  readonly socket?: boolean;
  /** Whether this is a page that came over plain HTTP, where browsers hide some of `crypto`. */
  readonly plain?: boolean;
  readonly options?: ClientOptions;
}

const asked = given<Given>();
const id = asked.id ?? '';
const file = new File(['It is written.'], 'note.txt', { type: 'text/plain' });
const ORDER = { idempotencyKey: 'order-1' } as const;
const TASK = { task: 'Open the door.', provider: 'anthropic', stream: true } as const;

const ASKED = {
  chat: (client: CartritaApiClient) => client.postChat({ message: 'Hello' }),
  stream: (client: CartritaApiClient) => client.streamChat({ message: 'Hello' }).text(),
  order: (client: CartritaApiClient) => client.streamChat({ message: 'Hello' }, ORDER).text(),
  named: (client: CartritaApiClient) => client.streamChat({ message: 'Hello', provider: 'anthropic' }).text(),
  search: (client: CartritaApiClient) => client.search('pumps'),
  speech: (client: CartritaApiClient) => client.processVoice(file),
  me: (client: CartritaApiClient) => client.getMe(),
  live: async (client: CartritaApiClient) => {
    const session = client.openLiveSession();
    return session.chat({ message: 'Hello' }).text().finally(() => session.close());
  },
  counted: (client: CartritaApiClient) => client.uploadFile(file, undefined, { onProgress: () => undefined }),
  task: (client: CartritaApiClient) => client.executeComputerTask(TASK).text(),
  message: (client: CartritaApiClient) => client.deleteMessage('conv_1', id),
  file: (client: CartritaApiClient) => client.deleteFile(id),
  run: (client: CartritaApiClient) => client.getRunEvents(id).text(),
} as const;

if (asked.plain) Object.defineProperty(crypto, 'randomUUID', { value: undefined });
const sent: object[] = [];
const refusal = { error: 'No.', code: 'validation_error', details: {}, request_id: 'req_1' };

const remembering: typeof fetch = async (input, init) => {
  const headers = new Headers(init?.headers);
  const body = typeof init?.body === 'string' ? (JSON.parse(init.body) as object) : undefined;
  const names = { key: headers.get('x-api-key'), idempotencyKey: headers.get('idempotency-key') };
  sent.push({ method: init?.method, url: String(input), ...names, body });
  if (asked.what === 'task') throw new TypeError('The connection broke.');
  return Response.json(refusal, { status: 422 });
};

const { type } = served((wire, frame) => {
  sent.push({ frame });
  if (frame['type'] === 'chat') wire.say({ ...refusal, client_msg_id: frame['client_msg_id'] });
});

const client = clientOf('http://127.0.0.1:9', '', {
  fetch: remembering,
  WebSocket: type,
  transports: [asked.socket ? 'websocket' : 'sse'],
  ...asked.options,
});
let last: object = {};
for (let time = 0; time < (asked.times ?? 1); time += 1) last = await outcome(() => ASKED[asked.what](client));
tell({ sent, ...last });
