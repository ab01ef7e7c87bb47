/** Where one is, as the part of the address behind `#`. */

import { signal } from '@preact/signals';

export type View = 'usage' | 'providers' | 'desktop';
export type Route = { readonly view: 'chat'; readonly conversationId: string | null } | { readonly view: View };

const VIEWS: readonly View[] = ['usage', 'providers', 'desktop'];

export class Router {
  readonly route = signal<Route>({ view: 'chat', conversationId: null });

  constructor() {
    window.addEventListener('hashchange', () => this.#read());
    if (!location.hash.startsWith('#code=')) this.#read();
  }

  /** The code of a sign-in link, which leaves the address and the history at once. */
  takeSignInCode(): string | null {
    const code = new URLSearchParams(location.hash.slice(1)).get('code');
    if (code !== null) history.replaceState(null, '', location.pathname);
    return code;
  }

  /** A conversation that has just got its id is where one is already. */
  replaceConversation(conversationId: string): void {
    const route = this.route.peek();
    if (route.view !== 'chat' || route.conversationId === conversationId) return;
    history.replaceState(null, '', addressOf(conversationId));
    this.#read();
  }

  go(address: string): void {
    location.hash = address;
  }

  #read(): void {
    this.route.value = routeOf(location.hash);
  }
}

export function addressOf(conversationId: string): string {
  return `#/c/${encodeURIComponent(conversationId)}`;
}

export function routeOf(hash: string): Route {
  const [, first = '', second = ''] = hash.split('/');
  const view = VIEWS.find((each) => each === first);
  if (view) return { view };
  return { view: 'chat', conversationId: first === 'c' && second ? decoded(second) : null };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
