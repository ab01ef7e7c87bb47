/** The list of conversations: paged, searched, and changed one by one. */

import type { CartritaApiClient, ConversationPatch, ConversationView, OwnSearchResult } from '@cartrita/client';
import { batch, signal } from '@preact/signals';

import { sentenceOf } from '../parts/sentences';
import type { News } from './news';

const PAGE = 30;

export class ConversationList {
  readonly items = signal<readonly ConversationView[]>([]);
  readonly nextCursor = signal<string | null>(null);
  readonly archived = signal(false);
  readonly query = signal('');
  /** What the query found; null while nothing is searched for. */
  readonly found = signal<readonly OwnSearchResult[] | null>(null);
  readonly problem = signal('');
  readonly #api: CartritaApiClient;
  readonly #news: News;
  #asked = 0;

  constructor(api: CartritaApiClient, news: News) {
    this.#api = api;
    this.#news = news;
  }

  /** Forgets all of it: somebody else signs in. */
  forget(): void {
    this.#asked += 1;
    batch(() => {
      this.items.value = [];
      this.nextCursor.value = null;
      this.query.value = '';
      this.found.value = null;
      this.problem.value = '';
    });
  }

  /** As many as are shown, anew. */
  async refresh(): Promise<void> {
    const limit = Math.min(200, Math.max(PAGE, this.items.peek().length));
    await this.#reporting(async () => {
      const page = await this.#api.listConversations({ limit, archived: this.#filter });
      batch(() => {
        this.items.value = page.items;
        this.nextCursor.value = page.next_cursor;
      });
    });
  }

  async more(): Promise<void> {
    const cursor = this.nextCursor.peek();
    if (cursor === null) return;
    await this.#reporting(async () => {
      const page = await this.#api.listConversations({ limit: PAGE, archived: this.#filter, cursor });
      batch(() => {
        const known = new Set(page.items.map((each) => each.id));
        this.items.value = [...this.items.peek().filter((each) => !known.has(each.id)), ...page.items];
        this.nextCursor.value = page.next_cursor;
      });
    });
  }

  async showArchived(archived: boolean): Promise<void> {
    this.archived.value = archived;
    this.items.value = [];
    await this.refresh();
  }

  /** What an answer to an earlier query says is left alone. */
  async search(query: string): Promise<void> {
    this.query.value = query;
    const asked = ++this.#asked;
    if (!query.trim()) {
      this.found.value = null;
      return;
    }
    await this.#reporting(async () => {
      const told = await this.#api.searchOwnData({ q: query, types: 'conversation,message', limit: 30 });
      if (asked === this.#asked) this.found.value = told.results;
    });
  }

  async change(id: string, patch: ConversationPatch): Promise<void> {
    await this.#changing(id, () => this.#api.changeConversation(id, patch));
  }

  async remove(id: string): Promise<boolean> {
    return this.#changing(id, () => this.#api.deleteConversation(id));
  }

  get #filter(): 'true' | 'false' {
    return this.archived.peek() ? 'true' : 'false';
  }

  async #changing(id: string, work: () => Promise<unknown>): Promise<boolean> {
    const done = await this.#reporting(work);
    this.#news.tell(id);
    return done;
  }

  async #reporting(work: () => Promise<unknown>): Promise<boolean> {
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
