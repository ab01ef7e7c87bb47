/** The screen of one desktop as it is shown here: each connection by a ticket of its own, and another one after a cut. */

import type { CartritaApiClient } from '@cartrita/client';
import { signal } from '@preact/signals';

import type { Screen } from '../desktop/screen';
import { sentenceOf } from '../parts/sentences';
import { Patience } from './patience';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;
/** So closes who has heard nothing for long, as where the screen stands still and the page sleeps. */
const IDLE = 4408;
/** So closes who was told what is no RFB: this page need not try again. */
const INVALID_DATA = 1007;
/** So closes who has as many viewers, or sockets, as there may be: that takes a while to change. */
const LIMITED = 4429;

export class LiveScreen {
  readonly state = signal<'connecting' | 'shown' | 'lost' | 'refused'>('connecting');
  /** Milliseconds, or null until they were measured. */
  readonly latency = signal<number | null>(null);
  readonly patience = new Patience();
  readonly #api: CartritaApiClient;
  readonly #address: string;
  readonly #place: HTMLElement;
  #screen: Screen | undefined;
  /** What was seen last, until it is seen again. */
  #still: Element | undefined;
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
    this.patience.succeeded();
    this.#still?.remove();
    this.state.value = 'shown';
    this.viewOnly = this.#viewOnly;
  }

  #lost(code: number, reason: string): void {
    if (this.#left) return;
    const mayReturn = code !== INVALID_DATA;
    if (code !== IDLE) this.patience.failed(reason, !mayReturn || code === LIMITED);
    if (code === LIMITED) this.#pause = LONGEST_PAUSE_MS;
    this.#keepStill();
    this.#screen = undefined;
    this.latency.value = null;
    this.state.value = mayReturn ? (code === IDLE ? 'connecting' : 'lost') : 'refused';
    if (!mayReturn) return;
    this.#timer = window.setTimeout(() => void this.#connect(), this.#pause);
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE_MS);
  }

  #keepStill(): void {
    const picture = this.#screen?.picture;
    if (!picture) return;
    this.#still?.remove();
    this.#still = picture;
    picture.removeAttribute('style');
    picture.className = 'still';
    this.#place.append(picture);
  }
}

function socketAddress(path: string, ticket: string): string {
  const address = new URL(path, location.href);
  address.protocol = address.protocol.replace('http', 'ws');
  address.searchParams.set('ticket', ticket);
  return address.href;
}
