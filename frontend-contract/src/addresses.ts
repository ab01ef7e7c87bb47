/** Where the parts of a server are, by the base URL that the client was given. */

import { UnreachableError } from './errors.js';

export class Addresses {
  /** What stands before `/api`: the origin, or a path on it where a proxy adds one. */
  readonly root: string;

  constructor(baseURL: string) {
    const trimmed = baseURL.replace(/\/+$/, '');
    this.root = trimmed.endsWith('/api') ? trimmed.slice(0, -'/api'.length) : trimmed;
  }

  /** The base URL for OpenAI's clients. */
  get v1(): string {
    return this.of('/v1');
  }

  /** The whole address of a path of the server's. */
  of(path: string): string {
    const address = parsed(this.root + path);
    if (address && /^https?:$/.test(address.protocol)) return address.href;
    const example = 'http://127.0.0.1:8000';
    throw new UnreachableError(`${JSON.stringify(this.root)} is no base URL here: give one like ${example}.`);
  }

  /** The address of the WebSocket. */
  socket(query: Readonly<Record<string, string>> = {}): string {
    const address = new URL(this.of('/ws/chat'));
    address.protocol = address.protocol.replace('http', 'ws');
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
    return address.href;
  }
}

function parsed(address: string): URL | undefined {
  try {
    return new URL(address, pageAddress());
  } catch {
    return undefined;
  }
}

/** Where the page is, in a browser; what is relative is relative to it. */
function pageAddress(): string | undefined {
  const place = (globalThis as { location?: { href?: string } }).location;
  return place?.href;
}
