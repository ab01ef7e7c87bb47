/** Files on their way to the server, to be attached to the next message. */

import type { CartritaApiClient } from '@cartrita/client';
import { signal } from '@preact/signals';

import { sentenceOf } from '../parts/sentences';

export interface Upload {
  readonly key: number;
  readonly name: string;
  readonly size: number;
  /** From 0 to 1. */
  readonly progress: number;
  readonly fileId: string | null;
  readonly problem: string;
}

export class Uploads {
  readonly items = signal<readonly Upload[]>([]);
  readonly #api: CartritaApiClient;
  readonly #aborts = new Map<number, AbortController>();
  #lastKey = 0;

  constructor(api: CartritaApiClient) {
    this.#api = api;
  }

  add(files: Iterable<File>, conversationId: string | null): void {
    for (const file of files) void this.#send(file, conversationId);
  }

  remove(key: number): void {
    this.#aborts.get(key)?.abort();
    this.#aborts.delete(key);
    this.items.value = this.items.peek().filter((each) => each.key !== key);
  }

  /** Forgets all of them: somebody else signs in. */
  forget(): void {
    for (const { key } of this.items.peek()) this.remove(key);
  }

  /** The ids of what has arrived, which are handed over. */
  take(): string[] {
    const arrived = this.items.peek().filter((each) => each.fileId !== null);
    this.items.value = this.items.peek().filter((each) => each.fileId === null && !each.problem);
    return arrived.map((each) => each.fileId ?? '');
  }

  async #send(file: File, conversationId: string | null): Promise<void> {
    const key = ++this.#lastKey;
    const abort = new AbortController();
    this.#aborts.set(key, abort);
    const { name, size } = file;
    this.items.value = [...this.items.peek(), { key, name, size, progress: 0, fileId: null, problem: '' }];
    try {
      const told = await this.#api.uploadFile(file, conversationId ?? undefined, {
        signal: abort.signal,
        onProgress: ({ sent, total }) => this.#change(key, { progress: total ? sent / total : 0 }),
      });
      this.#change(key, { progress: 1, fileId: told.file_id });
    } catch (error) {
      if (!abort.signal.aborted) this.#change(key, { problem: sentenceOf(error) });
    }
  }

  #change(key: number, change: Partial<Upload>): void {
    this.items.value = this.items.peek().map((each) => (each.key === key ? { ...each, ...change } : each));
  }
}
