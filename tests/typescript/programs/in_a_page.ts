/** Runs in a page: signs in, then does everything with the cookie alone. */

import { CartritaApiClient, CartritaApiError, type ClientOptions, type UploadProgress } from '@cartrita/client';

interface Seen {
  tokens: number;
  text?: string;
  live?: string;
  progress: UploadProgress[];
  refused?: string;
  unreachable?: string;
  failed?: string;
  ended?: boolean;
}

const world = globalThis as unknown as { given: { base: string; key: string; message: string }; seen: Seen };
const { base, key, message } = world.given;
const seen: Seen = { tokens: 0, progress: [] };
world.seen = seen;
const options: ClientOptions = { credentials: 'include', patience: { retryDelay: 50 } };

async function nameOf(work: PromiseLike<unknown>): Promise<string> {
  try {
    await work;
    return 'nothing';
  } catch (error) {
    return error instanceof CartritaApiError ? error.name : String(error);
  }
}

async function all(): Promise<void> {
  await new CartritaApiClient(base, { ...options, apiKey: key }).openSession();
  const client = new CartritaApiClient(`${base}/api`, options);
  const stream = client.streamChat({ message });
  for await (const { event } of stream) if (event === 'token') seen.tokens += 1;
  seen.text = stream.content;
  const session = client.openLiveSession();
  seen.live = await session.resume(stream.runId ?? '').text();
  session.close();
  const file = new File(['0123456789'.repeat(100_000)], 'digits.txt', { type: 'text/plain' });
  await client.uploadFile(file, undefined, { onProgress: (told) => seen.progress.push(told) });
  seen.refused = await nameOf(client.getConversation('conv_1'));
  seen.unreachable = await nameOf(new CartritaApiClient('http://127.0.0.1:9', options).getMe());
}

void all()
  .catch((error: unknown) => (seen.failed = String(error)))
  .finally(() => (seen.ended = true));
