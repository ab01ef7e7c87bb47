/** Asks what is to fail, and tells how it failed, and which hook was told of it. */

import type { CartritaApiClient, CartritaApiError, ClientOptions } from '@cartrita/client';
import { clientOf, given, outcome, tell } from './program.js';

interface Given {
  readonly base: string;
  readonly key: string;
  readonly what: keyof typeof ASKED;
  readonly options?: ClientOptions;
}

const file = new File(['It is written.'], 'note.txt', { type: 'text/plain' });

const ASKED = {
  chat: (client: CartritaApiClient) => client.postChat({ message: 'Hello' }),
  wrong: (client: CartritaApiClient) => client.postChat({ message: '' }),
  stream: (client: CartritaApiClient) => client.streamChat({ message: 'Hello' }).text(),
  agents: (client: CartritaApiClient) => client.getAgents(),
  health: (client: CartritaApiClient) => client.getHealth(),
  key: (client: CartritaApiClient) => client.createKey({ name: 'laptop' }),
  nothing: (client: CartritaApiClient) => client.deleteConversation('conv_1'),
  content: async (client: CartritaApiClient) => (await client.getFileContent('file_1')).text(),
  run: (client: CartritaApiClient) => client.getRunEvents('run_1', { after: 7 }).text(),
  live: (client: CartritaApiClient) => client.openLiveSession().chat({ message: 'Hello' }).text(),
  upload: (client: CartritaApiClient) => client.uploadFile(file),
  counted: (client: CartritaApiClient) => client.uploadFile(file, undefined, { onProgress: () => undefined }),
  aborted: (client: CartritaApiClient) => client.getAgents({ signal: AbortSignal.timeout(50) }),
} as const;

const { base, key, what, options } = given<Given>();
const told: string[] = [];
const hook = (name: string) => (error: CartritaApiError) => void told.push(`${name}: ${error.name}`);
const client = clientOf(base, key, {
  ...options,
  onAuthError: hook('auth'),
  onRateLimit: hook('rate'),
  onError: hook('other'),
});
tell({ ...(await outcome(() => ASKED[what](client))), told });
