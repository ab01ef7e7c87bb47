/** What was written and not sent, in each conversation, as long as the tab is open and nobody signs out. */

import { effect, signal, type ReadonlySignal } from '@preact/signals';

export interface Draft {
  readonly text: string;
  /** The ids of files that were sent with it before. */
  readonly attachments: readonly string[];
}

type Written = readonly (readonly [conversationId: string | null, draft: Draft])[];

const NOTHING: Draft = { text: '', attachments: [] };
/** Where the tab keeps them, which a reload leaves alone. */
const KEPT = 'drafts';

export class Drafts {
  /** What is written where one is. */
  readonly shown = signal(NOTHING);
  readonly #elsewhere = new Map<string | null, Draft>();
  readonly #conversationId: ReadonlySignal<string | null>;
  #owner: string | undefined;

  constructor(conversationId: ReadonlySignal<string | null>) {
    this.#conversationId = conversationId;
    effect(() => this.#keep([...this.#elsewhere, [conversationId.value, this.shown.value]]));
  }

  /** Somebody has signed in: what they wrote before the page was loaded again is there. */
  belongTo(owner: string): void {
    if (owner === this.#owner) return;
    this.#owner = owner;
    for (const [id, draft] of keptOf(owner)) this.#elsewhere.set(id, draft);
    const here = this.#conversationId.peek();
    const draft = this.#elsewhere.get(here) ?? NOTHING;
    this.#elsewhere.delete(here);
    this.shown.value = draft;
    this.#keep([...this.#elsewhere, [here, draft]]);
  }

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

  /** Forgets all of it: somebody signs out, or somebody else signs in. */
  forget(): void {
    this.#elsewhere.clear();
    this.shown.value = NOTHING;
    this.#keep([]);
  }

  #keep(written: Written): void {
    if (this.#owner === undefined) return;
    const drafts = written.filter(([, { text, attachments }]) => text || attachments.length > 0);
    try {
      if (drafts.length > 0) sessionStorage.setItem(KEPT, JSON.stringify({ owner: this.#owner, drafts }));
      else sessionStorage.removeItem(KEPT);
    } catch {
      // Full, or forbidden here: they are kept for as long as the page is.
    }
  }
}

/** What this owner wrote in this tab; nothing of anybody else. */
function keptOf(owner: string): Written {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? '{}') as { owner?: string; drafts?: Written };
    return kept.owner === owner ? (kept.drafts ?? []) : [];
  } catch {
    return [];
  }
}
