/** Why stored answers ended early, as the last events of their runs tell it. */

import type { CartritaApiClient, MessageView } from '@cartrita/client';
import { signal } from '@preact/signals';

import type { Answer } from '../chat/answers';

type Failure = NonNullable<Answer['failure']>;

export class Reasons {
  /** By the message that holds the answer. */
  readonly known = signal<ReadonlyMap<string, Failure>>(new Map());
  readonly #asked = new Set<string>();
  readonly #api: CartritaApiClient;

  constructor(api: CartritaApiClient) {
    this.#api = api;
  }

  /** Asks once for each message; one whose reason cannot be told has ended early all the same. */
  async learn({ id, run_id: runId }: MessageView): Promise<void> {
    if (runId === null || this.#asked.has(id)) return;
    this.#asked.add(id);
    const failure = await this.#failureOf(runId).catch(() => undefined);
    if (failure) this.known.value = new Map(this.known.peek()).set(id, failure);
  }

  /** Forgets all of it: somebody else signs in. */
  forget(): void {
    this.#asked.clear();
    this.known.value = new Map();
  }

  async #failureOf(runId: string): Promise<Failure | undefined> {
    const { last_event_id: last } = await this.#api.getRun(runId);
    const after = Number(last?.split('.')[1]) - 1;
    if (!(after >= 0)) return undefined;
    for await (const told of this.#api.getRunEvents(runId, { after })) if (told.event === 'error') return told.data;
    return undefined;
  }
}
