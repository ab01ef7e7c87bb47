/** Reads server-sent events as WHATWG's standard says, however their text is split. */

import { NotCartritaError } from './errors.js';

/** In characters: what never ends must not fill the memory. */
const LONGEST_BLOCK = 64 * 1024 * 1024;

export interface SseBlock {
  readonly id: string | undefined;
  readonly data: string | undefined;
  readonly retry: number | undefined;
}

export class SseParser {
  #rest = '';
  /** What came since without the end of a line, to be put together once. */
  #waiting: string[] = [];
  /** How much came since the last block, about. */
  #size = 0;
  #endedByCr = false;
  #id: string | undefined;
  #data: string[] = [];
  #retry: number | undefined;

  /** The blocks that the text completes; comments make none. */
  feed(text: string): SseBlock[] {
    const isHalf = this.#endedByCr && text.startsWith('\n');
    if (text) this.#endedByCr = false;
    this.#waiting.push(isHalf ? text.slice(1) : text);
    this.#size += text.length;
    if (this.#size > LONGEST_BLOCK) throw new NotCartritaError('', 200, 'an event that does not end');
    if (!/[\r\n]/.test(text)) return [];
    const blocks: SseBlock[] = [];
    this.#rest += this.#waiting.join('');
    this.#waiting = [];
    for (let line = this.#nextLine(); line !== undefined; line = this.#nextLine()) {
      if (line === '') this.#size = 0;
      if (line !== '') this.#field(line);
      else if (this.#id !== undefined || this.#data.length || this.#retry !== undefined) {
        blocks.push(this.#block());
      }
    }
    return blocks;
  }

  /** A CR ends a line at once; an LF that comes later belongs to it. */
  #nextLine(): string | undefined {
    const end = this.#rest.search(/[\r\n]/);
    if (end < 0) return undefined;
    const line = this.#rest.slice(0, end);
    const length = this.#rest.startsWith('\r\n', end) ? 2 : 1;
    this.#endedByCr = this.#rest.endsWith('\r') && end + 1 === this.#rest.length;
    this.#rest = this.#rest.slice(end + length);
    return line;
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.#data.push(value);
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.#retry = Number(value);
  }

  #block(): SseBlock {
    const data = this.#data.length ? this.#data.join('\n') : undefined;
    const block = { id: this.#id, data, retry: this.#retry };
    this.#id = this.#retry = undefined;
    this.#data = [];
    return block;
  }
}
