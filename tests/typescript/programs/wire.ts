/** A WebSocket in this process, whose server is a function. */

import type { ClientOptions } from '@cartrita/client';

export type Frame = Readonly<Record<string, unknown>>;

/** What the server does with a frame, on the connection of that number. */
export type Serve = (wire: Wire, frame: Frame, connection: number) => void;

/** One connection: what was sent over it, and what can happen to it. */
export interface Wire {
  readonly sent: Frame[];
  say(frame: object | string | ArrayBuffer): void;
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
    onmessage = (_: { data: string | ArrayBuffer }): void => undefined;

    constructor() {
      queueMicrotask(() => {
        this.readyState = 1;
        this.onopen();
      });
    }

    /** Sound is a frame of the type `audio` here, with its bytes. */
    send(data: string | Uint8Array): void {
      const frame = typeof data === 'string' ? (JSON.parse(data) as Frame) : { type: 'audio', bytes: [...data] };
      this.sent.push(frame);
      serve(this, frame, this.#number);
    }

    say(frame: object | string | ArrayBuffer): void {
      const isAsItIs = typeof frame === 'string' || frame instanceof ArrayBuffer;
      this.onmessage({ data: isAsItIs ? frame : JSON.stringify(frame) });
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
