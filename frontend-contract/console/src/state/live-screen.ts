/** The screen of one desktop as it is shown here: each connection by a ticket of its own, and another one after a cut. */

import type { CartritaApiClient } from '@cartrita/client';
import { signal } from '@preact/signals';

import type { Screen } from '../desktop/screen';
import { sentenceOf } from '../parts/sentences';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;
/** So closes who was told what is no RFB: this page need not try again. */
const INVALID_DATA = 1007;
/** So closes who has as many viewers, or sockets, as there may be: that takes a while to change. */
const LIMITED = 4429;

export class LiveScreen {
  readonly state = signal<'connecting' | 'shown' | 'lost' | 'refused'>('connecting');
  /** Milliseconds, or null until they were measured. */
  readonly latency = signal<number | null>(null);
  readonly problem = signal('');
  readonly #api: CartritaApiClient;
  readonly #address: string;
  readonly #place: HTMLElement;
  #screen: Screen | undefined;
  #viewOnly = true;
  #pause = FIRST_PAUSE_MS;
  #timer = 0;
  #left = false;

  constructor(api: CartritaApiClient, address: string, place: HTMLElement) {
    this.#api = api;
    this.#address = address;
    this.#place = place;
    void this.#connect();
  }

  set viewOnly(viewOnly: boolean) {
    this.#viewOnly = viewOnly;
    if (this.#screen && this.state.peek() === 'shown') this.#screen.viewOnly = viewOnly;
  }

  focus(): void {
    this.#screen?.focus();
  }

  /** The keys are another element's from here on. */
  releaseKeys(): void {
    this.#screen?.releaseKeys();
  }

  leave(): void {
    this.#left = true;
    clearTimeout(this.#timer);
    this.#screen?.close();
  }

  async #connect(): Promise<void> {
    this.state.value = 'connecting';
    try {
      const [{ Screen }, { ticket }] = await Promise.all([import('../desktop/screen'), this.#api.issueStreamTicket()]);
      if (this.#left) return;
      this.#screen = new Screen(this.#place, socketAddress(this.#address, ticket), {
        shown: () => this.#shown(),
        lost: (code, reason) => this.#lost(code, reason),
        latency: (milliseconds) => (this.latency.value = milliseconds),
      });
    } catch (error) {
      this.#lost(0, sentenceOf(error));
    }
  }

  #shown(): void {
    this.#pause = FIRST_PAUSE_MS;
    this.problem.value = '';
    this.state.value = 'shown';
    this.viewOnly = this.#viewOnly;
  }

  #lost(code: number, reason: string): void {
    if (this.#left) return;
    const mayReturn = code !== INVALID_DATA;
    this.problem.value = reason;
    if (code === LIMITED) this.#pause = LONGEST_PAUSE_MS;
    this.#screen = undefined;
    this.latency.value = null;
    this.state.value = mayReturn ? 'lost' : 'refused';
    if (!mayReturn) return;
    this.#timer = window.setTimeout(() => void this.#connect(), this.#pause);
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE_MS);
  }
}

function socketAddress(path: string, ticket: string): string {
  const address = new URL(path, location.href);
  address.protocol = address.protocol.replace('http', 'ws');
  address.searchParams.set('ticket', ticket);
  return address.href;
}
