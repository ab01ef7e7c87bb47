/** A WebSocket in this process, whose server is a function. */

import type { ClientOptions } from '@cartrita/client';

export type Frame = Readonly<Record<string, unknown>>;

/** What the server does with a frame, on the connection of that number. */
export type Serve = (wire: Wire, frame: Frame, connection: number) => void;

/** One connection: what was sent over it, and what can happen to it. */
export interface Wire {
  readonly sent: Frame[];
  say(frame: object | string): void;
  drop(): void;
}

/** The type to be given to the client, and its connections so far. */
export function served(serve: Serve): { type: NonNullable<ClientOptions['WebSocket']>; wires: Wire[] } {
  const wires: Wire[] = [];
  class Fake implements Wire {
    readyState = 0;
    readonly sent: Frame[] = [];
    readonly #number = wires.push(this);
    onopen = (): void => undefined;
    onclose = (_: { code: number }): void => undefined;
    onmessage = (_: { data: string }): void => undefined;

    constructor() {
      queueMicrotask(() => {
        this.readyState = 1;
        this.onopen();
      });
    }

    send(text: string): void {
      const frame = JSON.parse(text) as Frame;
      this.sent.push(frame);
      serve(this, frame, this.#number);
    }

    say(frame: object | string): void {
      this.onmessage({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
    }

    drop(): void {
      this.readyState = 3;
      this.onclose({ code: 1006 });
    }

    close(): void {
      this.readyState = 3;
    }
  }
  return { type: Fake as unknown as NonNullable<ClientOptions['WebSocket']>, wires };
}
