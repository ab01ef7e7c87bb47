/** One connection to a WebSocket of the server: opened, authenticated, kept alive, read frame by frame. */

import { NotCartritaError, StalledError, UnreachableError, type CartritaApiError } from './errors.js';
import type { ServerFrame, VoiceServerFrame } from './generated/types.js';
import type { SentKey } from './keys.js';
import { errorOf, objectIn, type WrittenError } from './refusals.js';

/** What a WebSocket of the platform, or of a package such as `ws`, can do. */
export type WebSocketType = new (url: string) => WebSocket;

export interface SocketSettings {
  readonly url: string;
  readonly key: SentKey | undefined;
  readonly type: WebSocketType;
  /** Milliseconds until it is open. */
  readonly opening: number;
  /** Milliseconds of silence after which it is given up; a ping is sent in a third of them. */
  readonly stall: number;
  /** Whether sound comes on it, too. */
  readonly audio: boolean;
}

/** Sound, which comes without a word of its own. */
export interface AudioFrame {
  readonly audio: ArrayBuffer;
}

export type SocketFrame = ServerFrame | VoiceServerFrame | AudioFrame;

/** How a connection ended; `error` is what the server said before it closed, if it did. */
export interface SocketEnd {
  readonly code: number;
  readonly error: CartritaApiError;
}

/** Opens it, and says who calls. */
export async function openSocket(settings: SocketSettings, signal: AbortSignal): Promise<SocketConnection> {
  signal.throwIfAborted();
  const socket = new settings.type(settings.url);
  const connection = new SocketConnection(socket, settings);
  const abort = () => connection.close();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await connection.opened();
  } catch (error) {
    connection.close();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
  const { key } = settings;
  if (key) connection.send({ type: 'auth', api_key: key.key, ...(key.provider ? { provider: key.provider } : {}) });
  return connection;
}

export class SocketConnection {
  readonly #socket: WebSocket;
  readonly #settings: SocketSettings;
  readonly #frames: SocketFrame[] = [];
  /** Who waits for which `pong`, in order. */
  readonly #pings: (() => void)[] = [];
  readonly #opened: Promise<void>;
  #wake: () => void = () => undefined;
  #end: SocketEnd | undefined;
  #said: CartritaApiError | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silentFor = 0;

  constructor(socket: WebSocket, settings: SocketSettings) {
    this.#socket = socket;
    this.#socket.binaryType = 'arraybuffer';
    this.#settings = settings;
    this.#opened = this.#listen();
  }

  opened(): Promise<void> {
    return this.#opened;
  }

  /** Sends a frame; one that cannot be sent any more is the reader's to notice. */
  send(frame: object): void {
    if (this.#socket.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  /** Sends sound. */
  sendAudio(audio: BufferSource): void {
    if (this.#socket.readyState === 1) this.#socket.send(audio);
  }

  /** Asks whether what was sent before is handled; told when all that was said to it has been read. */
  ping(answered: () => void): void {
    this.#pings.push(answered);
    this.send({ type: 'ping' });
  }

  /** The next frame, or how the connection ended. */
  async next(): Promise<SocketFrame | SocketEnd> {
    for (;;) {
      const frame = this.#frames.shift() ?? this.#end;
      if (frame && 'type' in frame && frame.type === 'pong') this.#pings.shift()?.();
      if (frame) return frame;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(): void {
    this.#finish({ code: 1000, error: new UnreachableError('The connection was closed here.') });
    this.#socket.close(1000);
  }

  #listen(): Promise<void> {
    const { url, opening } = this.#settings;
    return new Promise((resolve, reject) => {
      const lost = (code: number) => {
        const error = new UnreachableError(`${new URL(url).origin} closed the WebSocket (${code}).`);
        this.#finish({ code, error });
        reject(error);
      };
      const timer = setTimeout(() => lost(1006), opening);
      this.#socket.onopen = () => {
        clearTimeout(timer);
        this.#watch();
        resolve();
      };
      this.#socket.onclose = ({ code }) => {
        clearTimeout(timer);
        lost(code);
      };
      // Node 20 tells of a connection that never was by an error alone, without a close.
      this.#socket.onerror = () => {
        clearTimeout(timer);
        if (this.#socket.readyState !== 1) lost(1006);
      };
      this.#socket.onmessage = ({ data }) => this.#receive(data);
    });
  }

  #receive(data: unknown): void {
    this.#silentFor = 0;
    const frame = typeof data === 'string' ? (objectIn(data) as SocketFrame | undefined) : this.#soundIn(data);
    if (!frame) return this.#strange();
    this.#said = isRefusal(frame) ? errorOf(frame) : undefined;
    this.#frames.push(frame);
    this.#wake();
  }

  #soundIn(data: unknown): AudioFrame | undefined {
    return this.#settings.audio && data instanceof ArrayBuffer ? { audio: data } : undefined;
  }

  /** Browsers hide the pings of the protocol, so silence is asked about in frames. */
  #watch(): void {
    const step = this.#settings.stall / 3;
    this.#timer = setTimeout(() => {
      this.#silentFor += 1;
      if (this.#silentFor >= 3) return this.#stalled();
      this.ping(() => undefined);
      this.#watch();
    }, step);
  }

  /** What talks like this is no server of ours. */
  #strange(): void {
    const error = new NotCartritaError(new URL(this.#settings.url).origin, 101, 'frames that are no JSON objects');
    this.#finish({ code: 1002, error });
    this.#socket.close();
  }

  #stalled(): void {
    this.#finish({ code: 1006, error: new StalledError(this.#settings.stall) });
    this.#socket.close();
  }

  #finish(end: SocketEnd): void {
    clearTimeout(this.#timer);
    this.#end ??= this.#said ? { code: end.code, error: this.#said } : end;
    this.#wake();
  }
}

/** Whether the server says that it could not use a frame, or not follow a run. */
export function isRefusal(frame: SocketFrame): frame is SocketFrame & WrittenError {
  return 'error' in frame && typeof frame.error === 'string' && 'code' in frame;
}

export function isEnd(frame: SocketFrame | SocketEnd): frame is SocketEnd {
  return 'error' in frame && frame.error instanceof Error;
}
