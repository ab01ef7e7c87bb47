/** Which key goes with which request: one of the server's, a provider's own, or none. */

import type { Operation, ProviderRule } from './operation.js';

/** Keys of providers, by the provider's name: `{openai: 'sk-...'}`. */
export type ProviderKeys = Readonly<Record<string, string | undefined>>;

/** A key, and the provider whose it is, if it is one's own. */
export interface SentKey {
  readonly key: string;
  readonly provider?: string;
}

/** Chosen by operation and the request's `provider`, never by words in an address. */
export class Keyring {
  readonly #apiKey: string | undefined;
  readonly #providerKeys: ProviderKeys;

  constructor(apiKey: string | undefined, providerKeys: ProviderKeys = {}) {
    this.#apiKey = apiKey;
    this.#providerKeys = providerKeys;
  }

  /** The key for an operation; undefined leaves it to the cookie of a session. */
  keyFor(operation: Operation, request: object | undefined): SentKey | undefined {
    const provider = operation.provider ? providerOf(operation.provider, request) : undefined;
    const own = provider === undefined ? undefined : this.#providerKeys[provider];
    if (own && provider !== undefined) return { key: own, provider };
    if (this.#apiKey) return { key: this.#apiKey };
    return operation.provider ? undefined : this.#anyProviderKey();
  }

  /** What belongs to nobody's provider belongs to the one who chats: openai's key comes first. */
  #anyProviderKey(): SentKey | undefined {
    const names = ['openai', ...Object.keys(this.#providerKeys)];
    for (const provider of names) {
      const key = this.#providerKeys[provider];
      if (key) return { key, provider };
    }
    return undefined;
  }
}

function providerOf(rule: ProviderRule, request: object | undefined): string | undefined {
  const fields = request as Readonly<Record<string, unknown>> | undefined;
  const named = rule.field === undefined ? undefined : fields?.[rule.field];
  return typeof named === 'string' && named ? named : rule.name;
}
