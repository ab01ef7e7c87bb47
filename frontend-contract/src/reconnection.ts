/** A WebSocket that comes back by itself, until it is closed or nothing helps any more. */

import type { CartritaApiError } from './errors.js';
import { isEnd, openSocket, type SocketConnection, type SocketFrame, type SocketSettings } from './socket.js';
import { backoff, pause } from './waiting.js';

export type LiveState = 'connecting' | 'open' | 'waiting' | 'closed';

export interface LiveOptions {
  /** Told when the connection opens, is lost, or is closed for good. */
  readonly onState?: ((state: LiveState) => void) | undefined;
}

export interface LiveSettings extends LiveOptions {
  readonly socket: SocketSettings;
  readonly retryDelay: number;
  /** Milliseconds without a connection after which all is given up. */
  readonly patience: number;
  /** Told of a frame that the server refused and that belongs to nothing that was asked. */
  readonly onFailure: (error: CartritaApiError) => void;
}

/** What a session does with its connections. */
export interface ConnectionUser {
  /** One is open: says what the server may not have. */
  readonly opened: (connection: SocketConnection) => void;
  readonly lost: () => void;
  readonly take: (frame: SocketFrame) => void;
  /** There will be no other one. */
  readonly ended: (error: unknown) => void;
}

/** Close codes after which to come again would change nothing. */
const FINAL_CODES: ReadonlySet<number> = new Set([1002, 1007, 1008]);

export class Reconnection {
  readonly #settings: LiveSettings;
  readonly #user: ConnectionUser;
  readonly #controller = new AbortController();
  #connection: SocketConnection | undefined;
  #state: LiveState = 'connecting';
  #retryMs: number | undefined;

  constructor(settings: LiveSettings, user: ConnectionUser) {
    this.#settings = settings;
    this.#user = user;
    void this.#run();
  }

  get state(): LiveState {
    return this.#state;
  }

  /** The connection, where there is one that is open. */
  get connection(): SocketConnection | undefined {
    return this.#state === 'open' ? this.#connection : undefined;
  }

  /** Aborts when it is closed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  close(): void {
    this.#controller.abort(new DOMException('The live session was closed.', 'AbortError'));
    this.#connection?.close();
    this.#end(this.#controller.signal.reason);
  }

  async #run(): Promise<void> {
    let failures = 0;
    let since = performance.now();
    while (this.#state !== 'closed') {
      try {
        this.#tell('connecting');
        const connection = await openSocket(this.#settings.socket, this.#controller.signal);
        // It may have been closed since this one was open, but was not known here.
        if (this.#controller.signal.aborted) return connection.close();
        this.#connection = connection;
        this.#tell('open');
        this.#user.opened(connection);
        await this.#read(connection, () => (failures = 0));
        this.#user.lost();
        since = performance.now();
      } catch (error) {
        if (error instanceof Lost) this.#end(error.error);
        else if (performance.now() - since > this.#settings.patience) this.#end(error);
      }
      if (this.#controller.signal.aborted) return;
      failures += 1;
      await this.#wait(failures);
    }
  }

  async #wait(failures: number): Promise<void> {
    if (this.#state === 'closed') return;
    this.#tell('waiting');
    const wait = this.#retryMs ?? backoff(failures, this.#settings.retryDelay);
    this.#retryMs = undefined;
    await pause(wait, this.#controller.signal).catch(() => undefined);
  }

  async #read(connection: SocketConnection, heard: () => void): Promise<void> {
    for (;;) {
      const frame = await connection.next();
      if (isEnd(frame)) {
        if (FINAL_CODES.has(frame.code)) throw new Lost(frame.error);
        if (frame.error.retryAfter) this.#retryMs = frame.error.retryAfter * 1000;
        return;
      }
      heard();
      if ('type' in frame && frame.type === 'drain') this.#retryMs = frame.retry_after * 1000;
      this.#user.take(frame);
    }
  }

  #end(error: unknown): void {
    if (this.#state === 'closed') return;
    this.#user.ended(error);
    this.#tell('closed');
  }

  #tell(state: LiveState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#settings.onState?.(state);
  }
}

/** The server will not have this client. */
class Lost {
  readonly error: CartritaApiError;
  constructor(error: CartritaApiError) {
    this.error = error;
  }
}
