/** The whole state of the page: one client, who is signed in, where one is, and what is shown there. */

import { CartritaApiClient } from '@cartrita/client';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

import { Chat } from './chat';
import { ConversationList } from './conversation-list';
import { Desktops } from './desktops';
import { Reasons } from './reasons';
import { Router } from './router';
import { Session } from './session';
import { Uploads } from './uploads';
import { News } from './news';
import { Voice } from './voice';

/** Coming back to a tab asks for news, but not more often than this. */
const NEWS_MS = 3_000;

export class Console {
  readonly api = new CartritaApiClient('/api', { onAuthError: () => this.session.expired() });
  readonly router = new Router();
  readonly session: Session = new Session(this.api);
  readonly news = new News();
  readonly conversations = new ConversationList(this.api, this.news);
  readonly chat = new Chat(this.api, this.news);
  readonly reasons = new Reasons(this.api);
  readonly uploads = new Uploads(this.api);
  readonly voice = new Voice(this.api, this.chat);
  readonly desktops = new Desktops(this.api);
  #lastNews = 0;
  #owner: string | undefined;

  /** Signs in by the code of a printed link, or goes on with the cookie that is there. */
  async begin(): Promise<void> {
    this.session.me.subscribe((me) => me && this.#isShownTo(me.owner_id));
    this.session.state.subscribe((state) => state === 'in' && this.#enter());
    this.router.route.subscribe(() => this.#show());
    this.chat.conversationId.subscribe((id) => id && this.router.replaceConversation(id));
    this.news.onHere = () => void this.conversations.refresh();
    this.news.onElsewhere = (id) => this.#catchUp(id);
    document.addEventListener('visibilitychange', () => this.#seen());
    window.addEventListener('focus', () => this.#seen());
    await this.session.begin(this.router.takeSignInCode());
  }

  /** What was written and not sent is for nobody who comes next. */
  async signOut(): Promise<void> {
    this.chat.drafts.forget();
    await this.session.signOut();
  }

  /** After a session that ended, whoever comes next sees only what is theirs. */
  #isShownTo(owner: string): void {
    if (this.#owner !== undefined && this.#owner !== owner) {
      this.chat.forget();
      this.reasons.forget();
      this.conversations.forget();
      this.uploads.forget();
      this.voice.leave();
      this.desktops.forget();
    }
    this.#owner = owner;
    this.chat.drafts.belongTo(owner);
  }

  #enter(): void {
    void this.conversations.refresh();
    void this.chat.refresh();
    this.#show();
  }

  #show(): void {
    const route = this.router.route.peek();
    if (this.session.state.peek() !== 'in' || route.view !== 'chat') return;
    void this.chat.open(route.conversationId);
  }

  #seen(): void {
    const signedIn = this.session.state.peek() === 'in';
    if (document.hidden || !signedIn || Date.now() - this.#lastNews < NEWS_MS) return;
    this.#lastNews = Date.now();
    this.#catchUp(this.chat.conversationId.peek());
  }

  #catchUp(conversationId: string | null): void {
    if (this.session.state.peek() !== 'in') return;
    void this.conversations.refresh();
    if (conversationId === this.chat.conversationId.peek()) void this.chat.refresh();
  }
}

export const ConsoleContext = createContext<Console | null>(null);

export function useConsole(): Console {
  const found = useContext(ConsoleContext);
  if (!found) throw new Error('This part stands outside of the console.');
  return found;
}
