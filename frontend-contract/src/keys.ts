/** Which key goes with which request: one of the server's, a provider's own, or none. */

import type { Operation, ProviderRule } from './operation.js';

/** Keys of providers, by the provider's name: `{openai: 'sk-...'}`. */
export type ProviderKeys = Readonly<Record<string, string | undefined>>;

/** A key, and the provider whose it is, if it is one's own. */
export interface SentKey {
  readonly key: string;
  readonly provider?: string;
}

/** Whose key chats take, unless they name another provider. */
const OF_CHATS = 'openai';

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
    return isLeftOpen(operation.provider, request) ? this.#anyProviderKey() : undefined;
  }

  /** What belongs to nobody's provider belongs to the one who chats: openai's key comes first. */
  #anyProviderKey(): SentKey | undefined {
    const names = [OF_CHATS, ...Object.keys(this.#providerKeys)];
    for (const provider of names) {
      const key = this.#providerKeys[provider];
      if (key) return { key, provider };
    }
    return undefined;
  }
}

/** Whether any provider may stand for the caller: nobody's is asked for, or a chat names none. */
function isLeftOpen(rule: ProviderRule | undefined, request: object | undefined): boolean {
  if (rule === undefined) return true;
  return rule.name === OF_CHATS && namedIn(rule, request) === undefined;
}

function providerOf(rule: ProviderRule, request: object | undefined): string | undefined {
  return namedIn(rule, request) ?? rule.name;
}

function namedIn(rule: ProviderRule, request: object | undefined): string | undefined {
  const fields = request as Readonly<Record<string, unknown>> | undefined;
  const named = rule.field === undefined ? undefined : fields?.[rule.field];
  return typeof named === 'string' && named ? named : undefined;
}
