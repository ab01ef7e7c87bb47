/** Where the parts of a server are, by the base URL that the client was given. */

import { UnusableAddressError } from './errors.js';

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

  /** The whole address of a path of the server's; outside of a page only a whole base URL has one. */
  of(path: string): string {
    const address = this.root + path;
    if (URL.canParse(address, pageAddress())) {
      const { protocol, href } = new URL(address, pageAddress());
      if (/^https?:$/.test(protocol)) return href;
    }
    const given = JSON.stringify(this.root);
    throw new UnusableAddressError(
      `The base URL ${given} names no server here: give the client one like http://127.0.0.1:8000.`,
    );
  }

  /** The address of a WebSocket. */
  socket(path: string): string {
    const address = new URL(this.of(path));
    address.protocol = address.protocol.replace('http', 'ws');
    return address.href;
  }
}

/** A path with ids in it, each of which stays one segment of it. */
export function filled(template: string, ids: Readonly<Record<string, string>> = {}): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => segment(name, ids[name] ?? ''));
}

/** Dots lead to other addresses however they are written, and no id is made of them. */
function segment(name: string, id: string): string {
  if (!/^\.{0,2}$/.test(id)) return encodeURIComponent(id);
  throw new UnusableAddressError(`${JSON.stringify(id)} cannot be a ${name}.`);
}

/** Where the page is, in a browser; what is relative is relative to it. */
function pageAddress(): string | undefined {
  const place = (globalThis as { location?: { href?: string } }).location;
  return place?.href;
}
