/** Where one is, as the part of the address behind `#`. */

import { signal } from '@preact/signals';

export type Report = 'usage' | 'providers';
export type View = Report | 'desktop';
/** Of a desktop, its screen or its film; null is the list of them. */
export interface DesktopRoute {
  readonly view: 'desktop';
  readonly desktopId: string | null;
  readonly film: boolean;
}
export type Route =
  | { readonly view: 'chat'; readonly conversationId: string | null }
  | { readonly view: Report }
  | DesktopRoute;

const REPORTS: readonly Report[] = ['usage', 'providers'];

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

export function desktopAddress(desktopId: string, part: '' | '/film' = ''): string {
  return `#/desktop/${encodeURIComponent(desktopId)}${part}`;
}

export function routeOf(hash: string): Route {
  const [, first = '', second = '', third = ''] = hash.split('/');
  const view = REPORTS.find((each) => each === first);
  if (view) return { view };
  if (first === 'desktop') return { view: 'desktop', desktopId: second ? decoded(second) : null, film: third === 'film' };
  return { view: 'chat', conversationId: first === 'c' && second ? decoded(second) : null };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
