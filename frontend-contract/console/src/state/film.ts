/** The film of one desktop: what was done on it, page by page, and the frame that is looked at. */

import type { CartritaApiClient, FrameView } from '@cartrita/client';
import { batch, computed, signal } from '@preact/signals';

import { sentenceOf } from '../parts/sentences';
import { Patience } from './patience';

const PAGE = 50;
/** How long each picture is seen when the film is played. */
const PICTURE_MS = 900;

export class Film {
  readonly frames = signal<readonly FrameView[] | null>(null);
  readonly complete = signal(false);
  readonly patience = new Patience();
  /** The place of the frame that is looked at in `frames`. */
  readonly at = signal(0);
  readonly side = signal<'before' | 'after'>('after');
  readonly playing = signal(false);
  readonly frame = computed(() => this.frames.value?.[this.at.value]);
  readonly #api: CartritaApiClient;
  readonly #desktopId: string;
  #timer = 0;
  #reading = false;

  constructor(api: CartritaApiClient, desktopId: string) {
    this.#api = api;
    this.#desktopId = desktopId;
  }

  /** The next page; where all of them are known, what was done since. */
  async read(asked = true): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      const known = this.frames.peek() ?? [];
      const page = await this.#api.listFrames(this.#desktopId, { after: known.at(-1)?.index ?? 0, limit: PAGE });
      batch(() => {
        this.frames.value = page.items.length > 0 ? [...known, ...page.items] : known;
        this.complete.value = page.next_after === null;
        this.patience.succeeded();
      });
    } catch (error) {
      this.patience.failed(sentenceOf(error), asked || this.frames.peek() === null);
    }
    this.#reading = false;
  }

  /** Looks at a frame, as far as there is such a one. */
  go(at: number): void {
    const last = (this.frames.peek()?.length ?? 1) - 1;
    batch(() => {
      this.at.value = Math.max(0, Math.min(at, last));
      this.side.value = 'after';
    });
    if (at >= last && !this.complete.peek()) void this.read();
  }

  play(): void {
    const last = (this.frames.peek()?.length ?? 0) - 1;
    batch(() => {
      this.playing.value = true;
      if (this.at.peek() >= last && this.complete.peek()) this.at.value = 0;
      this.side.value = 'before';
    });
    this.#plan();
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.playing.value = false;
  }

  #plan(): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#step(), PICTURE_MS);
  }

  async #step(): Promise<void> {
    if (this.side.peek() === 'before') this.side.value = 'after';
    else {
      const next = this.at.peek() + 1;
      if (next >= (this.frames.peek()?.length ?? 0) && !this.complete.peek()) await this.read();
      if (next >= (this.frames.peek()?.length ?? 0)) return this.pause();
      batch(() => {
        this.at.value = next;
        this.side.value = 'before';
      });
    }
    if (this.playing.peek()) this.#plan();
  }
}
