/** Desktops: those that there are, the one that is shown, and the control of one that was taken over here. */

import { CartritaApiError, type CartritaApiClient, type DesktopView } from '@cartrita/client';
import { batch, signal } from '@preact/signals';

import { sentenceOf } from '../parts/sentences';
import { Patience } from './patience';

const PAGE = 50;
/** The most that the server tells at once. */
const LARGEST_PAGE = 200;
/** So often within the time of a lease it is taken again. */
const RENEWALS = 3;
const SHORTEST_RENEWAL_MS = 500;
const AGAIN_MS = 1_000;

export class Desktops {
  /** The latest first; null until they are known. */
  readonly items = signal<readonly DesktopView[] | null>(null);
  readonly nextCursor = signal<string | null>(null);
  readonly shown = signal<DesktopView | null>(null);
  /** The id of the one that is controlled from this page, or empty. */
  readonly held = signal('');
  /** Why what was asked for here was not done. */
  readonly problem = signal('');
  /** The list is read again and again, and the control is taken again and again. */
  readonly reading = new Patience();
  readonly keeping = new Patience();
  readonly #api: CartritaApiClient;
  #shownId = '';
  /** How often the control changed hands here. */
  #changes = 0;
  /** How often somebody else has signed in: what was asked before is not for them. */
  #others = 0;
  #renewal = 0;
  #renewing: Promise<void> = Promise.resolve();
  /** Pages are read one after another. */
  #listing: Promise<unknown> = Promise.resolve();

  constructor(api: CartritaApiClient) {
    this.#api = api;
  }

  /** Forgets all of it: somebody else signs in. */
  forget(): void {
    this.#others += 1;
    this.#letGo();
    this.leave();
    batch(() => {
      this.items.value = null;
      this.nextCursor.value = null;
      this.problem.value = '';
      this.reading.succeeded();
    });
  }

  /** All that are shown are told anew, also those that "Show more" has brought. */
  async refresh(): Promise<void> {
    await this.#refreshed();
  }

  async more(): Promise<void> {
    await this.#inTurn(async () => {
      const cursor = this.nextCursor.peek();
      if (cursor === null) return;
      const others = this.#others;
      await this.#reporting(async () => {
        const page = await this.#api.listDesktops({ limit: PAGE, cursor });
        if (others !== this.#others) return;
        this.#list([...(this.items.peek() ?? []), ...page.items], page.next_cursor);
      });
    });
  }

  /**
   * The id of the one that was started last for a conversation; undefined if there is none. It is
   * asked for until that is known, or not `wanted` any more.
   */
  async latestOf(conversationId: string, wanted: () => boolean): Promise<string | undefined> {
    while (!(await this.#refreshed())) {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      if (!wanted()) return undefined;
    }
    return this.items.peek()?.find((each) => each.conversation_id === conversationId)?.id;
  }

  /** The one of a conversation that runs, as far as it is known. */
  of(conversationId: string | null): DesktopView | undefined {
    return this.items.value?.find((each) => each.conversation_id === conversationId && each.live_url !== null);
  }

  /** Shows one. */
  async open(id: string): Promise<void> {
    if (this.shown.peek()?.id !== id) this.shown.value = null;
    this.#shownId = id;
    this.problem.value = '';
    await this.look();
  }

  leave(): void {
    this.#shownId = '';
    this.shown.value = null;
  }

  /** How the one that is shown is now. */
  async look(): Promise<void> {
    const id = this.#shownId;
    const changes = this.#changes;
    const others = this.#others;
    if (!id) return;
    try {
      const now = await this.#api.getDesktop(id);
      if (others !== this.#others) return;
      if (changes !== this.#changes) return; // it tells how it was before this page changed it
      this.#show(now);
      if (now.control?.mine && id === this.#shownId && !this.held.peek()) this.#holdAgain(id);
    } catch (error) {
      if (id === this.#shownId && this.shown.peek() === null) this.problem.value = sentenceOf(error);
    }
  }

  /** Starts one, and tells its id; empty if it did not start. */
  async start(): Promise<string> {
    let id = '';
    await this.#reporting(async () => void ({ id } = await this.#api.createDesktop()));
    return id;
  }

  /** Waits for the action in hand; from then on this page alone uses the desktop. */
  async take(id: string): Promise<boolean> {
    return this.#reporting(async () => {
      const taken = await this.#api.controlDesktop(id, { action: 'take' });
      this.#changes += 1;
      this.#show(taken);
      this.#hold(taken);
    });
  }

  /** Hands it back; whoever asked for it goes on. */
  async handBack(id: string, note: string): Promise<boolean> {
    clearTimeout(this.#renewal);
    await this.#renewing; // which would take it again
    clearTimeout(this.#renewal);
    const done = await this.#reporting(async () => {
      const request = { action: 'release', ...(note ? { note } : {}) } as const;
      const released = await this.#api.controlDesktop(id, request);
      this.#changes += 1;
      this.#show(released);
      this.#letGo();
    });
    if (!done && this.held.peek() === id) this.#plan(id, SHORTEST_RENEWAL_MS);
    return done;
  }

  /** Cancels what agents do there. */
  async stop(id: string): Promise<void> {
    await this.#reporting(async () => this.#show(await this.#api.stopDesktop(id)));
  }

  async end(id: string): Promise<void> {
    await this.#reporting(async () => {
      await this.#api.endDesktop(id);
      if (this.held.peek() === id) this.#letGo();
      await this.look();
    });
  }

  #hold({ id, control, used_at: taken }: DesktopView): void {
    this.held.value = id;
    clearTimeout(this.#renewal);
    if (!control) return;
    // Both are told by the server's clock.
    const lease = Date.parse(control.expires_at) - Date.parse(taken);
    this.#plan(id, Math.max(SHORTEST_RENEWAL_MS, lease / RENEWALS));
  }

  /** Taken over here before the page was loaded anew: nobody else keeps the lease, and it may be about to end. */
  #holdAgain(id: string): void {
    this.held.value = id;
    this.#plan(id, 0);
  }

  #plan(id: string, pause: number): void {
    this.#renewal = window.setTimeout(() => (this.#renewing = this.#renew(id)), pause);
  }

  /** Another page of the same person may have handed it back meanwhile: then it is not taken again. */
  async #renew(id: string): Promise<void> {
    try {
      const now = await this.#api.getDesktop(id);
      if (this.held.peek() !== id) return;
      if (!now.control?.mine) return this.#lose(now);
      this.#hold(await this.#api.controlDesktop(id, { action: 'take' }));
      this.keeping.succeeded();
    } catch (error) {
      if (this.held.peek() !== id) return;
      if (error instanceof CartritaApiError && [404, 409].includes(error.status ?? 0)) {
        this.#letGo();
        this.problem.value = sentenceOf(error);
        return;
      }
      this.keeping.failed(sentenceOf(error), false);
      this.#plan(id, SHORTEST_RENEWAL_MS);
    }
  }

  #lose(now: DesktopView): void {
    this.#letGo();
    this.#show(now);
  }

  #letGo(): void {
    clearTimeout(this.#renewal);
    this.held.value = '';
    this.keeping.succeeded();
  }

  /** Whether the list could be read. */
  #refreshed(): Promise<boolean> {
    return this.#inTurn(async () => {
      const others = this.#others;
      try {
        const [items, cursor] = await this.#readAll();
        if (others !== this.#others) return false;
        this.#list(items, cursor);
        this.reading.succeeded();
        return true;
      } catch (error) {
        if (others === this.#others) this.reading.failed(sentenceOf(error), this.items.peek() === null);
        return false;
      }
    });
  }

  async #readAll(): Promise<[readonly DesktopView[], string | null]> {
    const oldest = this.items.peek()?.at(-1)?.created_at;
    const limit = oldest === undefined || (this.items.peek()?.length ?? 0) <= PAGE ? PAGE : LARGEST_PAGE;
    let { items, next_cursor: cursor } = await this.#api.listDesktops({ limit });
    while (cursor !== null && oldest !== undefined && (items.at(-1)?.created_at ?? '') > oldest) {
      const page = await this.#api.listDesktops({ limit, cursor });
      items = [...items, ...page.items];
      cursor = page.next_cursor;
    }
    return [items, cursor];
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#listing.then(work);
    this.#listing = done;
    return done;
  }

  #list(items: readonly DesktopView[], nextCursor: string | null): void {
    batch(() => {
      this.items.value = items;
      this.nextCursor.value = nextCursor;
    });
  }

  #show(desktop: DesktopView): void {
    const items = this.items.peek();
    batch(() => {
      if (items) this.items.value = items.map((each) => (each.id === desktop.id ? desktop : each));
      if (desktop.id === this.#shownId) this.shown.value = desktop;
    });
  }

  async #reporting(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.problem.value = '';
      return true;
    } catch (error) {
      this.problem.value = sentenceOf(error);
      return false;
    }
  }
}
