/** What was written and not sent, in each conversation, as long as the page is open. */

import { signal } from '@preact/signals';

export interface Draft {
  readonly text: string;
  /** The ids of files that were sent with it before. */
  readonly attachments: readonly string[];
}

const NOTHING: Draft = { text: '', attachments: [] };

export class Drafts {
  /** What is written where one is. */
  readonly shown = signal(NOTHING);
  readonly #elsewhere = new Map<string | null, Draft>();

  write(text: string): void {
    this.shown.value = { ...this.shown.peek(), text };
  }

  take(): Draft {
    const taken = this.shown.peek();
    this.shown.value = NOTHING;
    return taken;
  }

  /** What was not sent, to be sent again; what was written since stays. */
  giveBack({ text, attachments }: Draft): void {
    this.shown.value = { text: this.shown.peek().text || text, attachments };
  }

  /** One goes from one conversation to another; null is the one that is not begun. */
  turn(from: string | null, to: string | null): void {
    this.#elsewhere.set(from, this.shown.peek());
    this.shown.value = this.#elsewhere.get(to) ?? NOTHING;
    this.#elsewhere.delete(to);
  }

  /** Forgets all of it: somebody else signs in. */
  forget(): void {
    this.#elsewhere.clear();
    this.shown.value = NOTHING;
  }
}
