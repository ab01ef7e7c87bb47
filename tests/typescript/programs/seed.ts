/** What the first frontends were promised of this client: constructor, methods, names, keys. */

import { CartritaApiClient, CartritaApiError, type AgentInfo, type ChatResponse } from '@cartrita/client';
import { clientOf, given, tell } from './program.js';

const { base, key } = given<{ base: string; key: string }>();

function check(name: string, holds: boolean, found: unknown = undefined): void {
  tell({ name, holds, found });
}

/** A fetch that reaches nobody, and keeps what it was asked. */
function kept(asked: { url: string; key: string | null }[]): typeof fetch {
  return async (input, init) => {
    asked.push({ url: String(input), key: new Headers(init?.headers).get('x-api-key') });
    return Response.json({ items: [], next_cursor: null, agents: [] });
  };
}

// should create instance correctly
check('instance', new CartritaApiClient() instanceof CartritaApiClient);

// a page's own server, by the default base URL
const place = globalThis as { location?: { href: string } };
place.location = { href: 'https://example.org/app/index.html' };
const asked: { url: string; key: string | null }[] = [];
const page = new CartritaApiClient(undefined, { fetch: kept(asked) });
await page.postChat({ message: 'Hello' });
await page.getHealth();
const urls = asked.map(({ url }) => url);
check('default', urls.join(' ') === 'https://example.org/api/chat https://example.org/health', urls);
check('v1', page.v1URL === 'https://example.org/v1', page.v1URL);
delete place.location;

// the same with or without /api, and behind a proxy's path
for (const given of ['http://a.example/api', 'http://a.example', 'http://a.example/api/']) {
  const found = new CartritaApiClient(given).v1URL;
  check(`root of ${given}`, found === 'http://a.example/v1', found);
}
const behind = new CartritaApiClient('http://a.example/cartrita/api').v1URL;
check('prefix', behind === 'http://a.example/cartrita/v1', behind);

// should handle chat request
const client = clientOf(base, key);
const response: ChatResponse = await client.postChat({ message: 'Hello', provider: 'openai', model: 'fake' });
check('response', typeof response.response === 'string' && response.response.length > 0, response.response);
const agents: readonly AgentInfo[] = await client.getAgents();
check('agents', agents.some(({ id }) => id === 'supervisor'), agents.length);

// each provider's key goes with its operations
const keys = { openai: 'o', huggingface: 'h', deepgram: 'd', tavily: 't', github: 'g', brave: 'b' };
const sent: { url: string; key: string | null }[] = [];
const own = new CartritaApiClient('http://a.example', { providerKeys: keys, fetch: kept(sent) });
await own.postChat({ message: 'Hello' });
await own.postChat({ message: 'Hello', provider: 'huggingface' });
await own.postHuggingfaceChat({ message: 'Hello' });
await own.processVoice(new Blob(['RIFF']));
await own.search('heliotrope');
await own.search('heliotrope', 'brave');
await own.searchGithub({ q: 'cartrita' });
await own.listConversations();
check('keys', sent.map((each) => each.key).join('') === 'ohhdtbgo', sent);

// a key of the server is for all of them, but for those of a provider that has one
const both: { url: string; key: string | null }[] = [];
const gateway = new CartritaApiClient('http://a.example', {
  apiKey: 'k',
  providerKeys: { tavily: 't' },
  fetch: kept(both),
});
await gateway.postChat({ message: 'Hello' });
await gateway.search('heliotrope');
await gateway.getMe();
check('gateway', both.map((each) => each.key).join('') === 'ktk', both);

// streamChat as an EventSource
const source = await client.streamChat({ message: 'Hello' }, { as: 'EventSource' });
const events = await new Promise<string[]>((resolve) => {
  const names: string[] = [];
  source.onmessage = ({ data }: MessageEvent<string>) => {
    const { event } = JSON.parse(data) as { event: string };
    names.push(event);
    if (event === 'done') resolve(names);
  };
});
source.close();
check('event source', source instanceof EventSource && events[0] === 'stream_start', events);

// every page of a list, and one
const ids = [];
for await (const { id } of client.listConversations({ limit: 1 })) ids.push(id);
const first = await client.listConversations({ limit: 1 });
check('pages', new Set(ids).size === ids.length && ids.length > 1 && first.items.length === 1, ids);

// errors
const error = await client.getRun('run_1').catch((problem: unknown) => problem);
check('error', error instanceof CartritaApiError && error.requestId?.startsWith('req_') === true);
