/** Uploads a file into a conversation of its own, and reads it back. */

import { openAsBlob } from 'node:fs';
import type { ClientOptions, UploadProgress } from '@cartrita/client';
import { clientOf, errorFact, given, tell } from './program.js';

interface Given {
  readonly base: string;
  readonly key: string;
  readonly file: string;
  readonly name: string;
  readonly counted: boolean;
  readonly abort?: boolean;
  readonly slowly?: boolean;
  readonly options?: ClientOptions;
}

const { base, key, file, name, counted, abort, slowly, options } = given<Given>();

/** A fetch over which a body with progress takes its time. */
const slow: typeof fetch = (input, init) => {
  const body = init?.body;
  if (!(body instanceof ReadableStream)) return fetch(input, init);
  const pace = new TransformStream<unknown, unknown>({
    transform: async (piece, controller) => {
      await new Promise((resume) => setTimeout(resume, 20));
      controller.enqueue(piece);
    },
  });
  return fetch(input, { ...init, body: body.pipeThrough(pace) });
};

const client = clientOf(base, key, { ...(slowly ? { fetch: slow } : {}) });
const hurried = clientOf(base, key, { ...options, ...(slowly ? { fetch: slow } : {}) });
const conversation = (await client.createConversation()).id;
const progress: UploadProgress[] = [];
const controller = new AbortController();
const onProgress = (told: UploadProgress) => {
  progress.push(told);
  if (abort) controller.abort();
};
const chosen = new File([await openAsBlob(file)], name, { type: 'text/plain' });
const began = performance.now();
try {
  const sending = hurried.uploadFile(chosen, conversation, {
    signal: controller.signal,
    onProgress: counted ? onProgress : undefined,
  });
  if (abort && !counted) controller.abort();
  const kept = await sending;
  const took = performance.now() - began;
  const content = (await (await client.getFileContent(kept.file_id)).arrayBuffer()).byteLength;
  tell({ kept, conversation, progress, content, took });
} catch (error) {
  tell({ error: errorFact(error) });
}
