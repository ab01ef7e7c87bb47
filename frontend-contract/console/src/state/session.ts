/** Who is signed in: by a printed link, by a key, or by the cookie of before. */

import { CartritaApiError, type CartritaApiClient, type Me } from '@cartrita/client';
import { signal } from '@preact/signals';

import { sentenceOf } from '../parts/sentences';

export type SessionState = 'checking' | 'out' | 'in';

export class Session {
  readonly state = signal<SessionState>('checking');
  readonly me = signal<Me | null>(null);
  /** Why nobody is signed in, in a sentence; empty where there is nothing to say. */
  readonly problem = signal('');
  readonly #api: CartritaApiClient;

  constructor(api: CartritaApiClient) {
    this.#api = api;
  }

  async begin(code: string | null): Promise<void> {
    if (code !== null && (await this.#opened(() => this.#api.openSession({ code })))) return;
    await this.#enter();
  }

  /** The key is sent once, for a cookie that scripts cannot read; this page keeps it nowhere. */
  async signIn(key: string): Promise<void> {
    const headers = { 'X-API-Key': key };
    await this.#opened(() => this.#api.openSession({}, { headers }));
  }

  async signOut(): Promise<void> {
    await this.#api.closeSession().catch(() => undefined);
    location.reload();
  }

  expired(): void {
    if (this.state.peek() !== 'in') return;
    this.problem.value = 'Your session has ended. Sign in again to go on.';
    this.state.value = 'out';
  }

  async #opened(open: () => Promise<unknown>): Promise<boolean> {
    this.problem.value = '';
    try {
      await open();
    } catch (error) {
      this.problem.value = sentenceOf(error);
      return false;
    }
    return this.#enter();
  }

  async #enter(): Promise<boolean> {
    try {
      this.me.value = await this.#api.getMe();
      this.problem.value = '';
      this.state.value = 'in';
    } catch (error) {
      const unknown = error instanceof CartritaApiError && error.status === 401;
      if (!unknown && !this.problem.peek()) this.problem.value = sentenceOf(error);
      this.state.value = 'out';
    }
    return this.state.peek() === 'in';
  }
}
