/** What people do on a real desktop, each operation by the client; what came over the wire is told. */

import { clientOf, given, tell } from './program.js';

interface Given {
  readonly base: string;
  readonly key: string;
  readonly looks: string;
  readonly streams: string;
  readonly clicks: string;
}

const { base, key, looks, streams, clicks } = given<Given>();

/** The client's own fetch, which tells what it saw. */
async function witnessed(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const answer = await fetch(input, init);
  const isJson = answer.headers.get('content-type')?.includes('json') ?? false;
  const body: unknown = isJson ? await answer.clone().json() : null;
  tell({ method: init?.method, url: String(input), status: answer.status, body });
  return answer;
}

const client = clientOf(base, key, { fetch: witnessed });
const { id, live_url } = await client.createDesktop({});
const found = await client.getDesktop(id);
const listed: string[] = [];
for await (const each of client.listDesktops({ limit: 1 })) listed.push(each.id);
const screen = new Uint8Array(await (await client.getScreenshot(id)).arrayBuffer());
const taken = await client.controlDesktop(id, { action: 'take', note: 'mine' });
const released = await client.controlDesktop(id, { action: 'release' });
const model = 'openai/fake';
const done = await client.executeComputerTask({ task: looks, session_id: id, model, secrets: { PIN: '1' } });
const stream = client.executeComputerTask({ task: streams, session_id: id, model, stream: true });
const events: string[] = [];
for await (const { event } of stream) events.push(event);
const waits = await client.executeComputerTask({ task: clicks, session_id: id, model });
const stopped = await client.stopDesktop(id);
const { items } = await client.listFrames(id, { after: 0 });
const film = new Uint8Array(await (await client.getFilm(id)).arrayBuffer());
await client.endDesktop(id);
const ended = await client.getDesktop(id);

tell({
  same: found.live_url === live_url,
  listed: listed.includes(id),
  screen: [...screen.slice(1, 4)],
  taken: taken.control?.mine,
  released: released.control,
  done: [done.status, done.session_id === id, done.steps.map(({ action }) => action)],
  last: events.at(-1),
  waits: [waits.status, waits.approvals?.length],
  stopped: stopped.status,
  film: [...film.slice(0, 2)],
  frames: items.map(({ actor, action }) => `${actor} ${String(action['type'])}`),
  ended: [ended.status, ended.live_url],
});
