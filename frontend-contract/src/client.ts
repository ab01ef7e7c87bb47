/** The client of a Cartrita server. */

import { Addresses } from './addresses.js';
import { CartritaApiError, UnreachableError } from './errors.js';
import { OPERATIONS } from './generated/operations.js';
import { GeneratedClient } from './generated/client.js';
import type { ChatRequest, SearchRequest, SearchResponse } from './generated/types.js';
import { randomId } from './ids.js';
import { Keyring, type ProviderKeys } from './keys.js';
import { LiveSession } from './live.js';
import type { Call, Operation, RequestOptions } from './operation.js';
import { PageRequest, type Page } from './pages.js';
import { queryOf, Requester } from './requests.js';
import type { TransportName } from './place.js';
import type { LiveOptions, LiveSettings } from './reconnection.js';
import type { WebSocketType } from './socket.js';
import type { ChatStream } from './stream.js';
import { StreamMaker, type SocketPath } from './streams.js';
import { VoiceSession, type VoiceOptions } from './voice.js';

export interface ClientOptions {
  /** A key of the server's. Not for pages that others open: sign those in by `openSession`. */
  readonly apiKey?: string | undefined;
  /** Keys of providers instead, where the server takes those; each goes to its provider's operations. */
  readonly providerKeys?: ProviderKeys | undefined;
  readonly fetch?: typeof fetch | undefined;
  /** What opens WebSockets where the platform has none: Node 20 with the package `ws`. */
  readonly WebSocket?: WebSocketType | undefined;
  /** Milliseconds for a whole answer: 30,000. Streams and uploads may take longer, as long as bytes move. */
  readonly timeout?: number | undefined;
  /** Other tries of what may be sent again: 2. */
  readonly retries?: number | undefined;
  /** Whether cookies go along: `include` for a page of another origin than the server's. */
  readonly credentials?: RequestCredentials | undefined;
  /** A 401, before the caller sees it: sign in again. */
  readonly onAuthError?: ((error: CartritaApiError) => void) | undefined;
  /** A 429 that was not waited for, before the caller sees it. */
  readonly onRateLimit?: ((error: CartritaApiError) => void) | undefined;
  /** Any other failure, before the caller sees it. */
  readonly onError?: ((error: CartritaApiError) => void) | undefined;
  /** The ways to a stream's events, the best first. */
  readonly transports?: readonly TransportName[] | undefined;
  readonly patience?: Partial<Patience> | undefined;
}

/** Milliseconds that the client waits for what. */
export interface Patience {
  /** Before the first other try; later ones wait longer. */
  readonly retryDelay: number;
  /** For the first byte of a stream; then another way is tried. */
  readonly firstByte: number;
  /** For the next byte: three heartbeats of the server. Uploads are given up after it, too. */
  readonly stall: number;
  /** For any sign of life of a run, over all its ways; for the first one, where nothing streams. */
  readonly run: number;
  /** Between two questions, where nothing streams. */
  readonly poll: number;
}

const PATIENCE: Patience = { retryDelay: 250, firstByte: 10_000, stall: 45_000, run: 120_000, poll: 1_000 };

export class CartritaApiClient extends GeneratedClient {
  readonly #addresses: Addresses;
  readonly #keyring: Keyring;
  readonly #requester: Requester;
  readonly #streams: StreamMaker;
  readonly #patience: Patience;

  constructor(baseURL = '/api', options: ClientOptions = {}) {
    super();
    const patience = { ...PATIENCE, ...options.patience };
    const { timeout = 30_000, retries = 2, credentials = 'same-origin' } = options;
    this.#patience = patience;
    this.#addresses = new Addresses(baseURL);
    this.#keyring = new Keyring(options.apiKey, options.providerKeys);
    this.#requester = new Requester({
      addresses: this.#addresses,
      keyring: this.#keyring,
      fetch: options.fetch ?? ((...given) => fetch(...given)),
      timeout,
      stall: patience.stall,
      retries,
      retryDelay: patience.retryDelay,
      credentials,
      onFailure: (error) => tell(options, error),
    });
    this.#streams = new StreamMaker(this.#requester, {
      ...patience,
      retries,
      patience: patience.run,
      pollInterval: patience.poll,
      keyring: this.#keyring,
      transports: options.transports ?? ['sse', 'websocket', 'polling'],
      socketType: options.WebSocket ?? (globalThis as { WebSocket?: WebSocketType }).WebSocket,
      socketURL: (path) => this.#addresses.socket(path),
    });
  }

  /** The base URL for OpenAI's clients: this server's `/v1`. */
  get v1URL(): string {
    return this.#addresses.v1;
  }

  /** The answer's events as they come; with `as: 'EventSource'` as the browser's own EventSource. */
  override streamChat(request: ChatRequest, options: RequestOptions & { as: 'EventSource' }): Promise<EventSource>;
  override streamChat(request: ChatRequest, options?: RequestOptions & { as?: never }): ChatStream;
  override streamChat(
    request: ChatRequest,
    options?: RequestOptions & { as?: 'EventSource' | undefined },
  ): ChatStream | Promise<EventSource> {
    if (options?.as !== 'EventSource') return super.streamChat(request, options);
    return this.#eventSource(request, options);
  }

  /** Searches the web, by `provider` or by Tavily. */
  override search(query: string, provider?: string, options?: RequestOptions): Promise<SearchResponse>;
  override search(request: SearchRequest, options?: RequestOptions): Promise<SearchResponse>;
  override search(
    asked: string | SearchRequest,
    second?: string | RequestOptions,
    third?: RequestOptions,
  ): Promise<SearchResponse> {
    if (typeof asked !== 'string') return super.search(asked, second as RequestOptions | undefined);
    const provider = typeof second === 'string' ? second : 'tavily';
    return super.search({ query: asked, provider }, third);
  }

  /** One WebSocket for several answers, which comes back by itself. */
  openLiveSession(options: LiveOptions = {}): LiveSession {
    return new LiveSession(this.#liveSettings('/ws/chat', options));
  }

  /** A live conversation: what is said goes in, and what is heard, answered and spoken comes out. */
  openVoice(options: VoiceOptions = {}): VoiceSession {
    return new VoiceSession(this.#liveSettings('/ws/voice', options), options);
  }

  protected override askJson<T>(operation: Operation, call: Call): Promise<T> {
    return this.#requester.json<T>(operation, call);
  }

  protected override askNothing(operation: Operation, call: Call): Promise<void> {
    return this.#requester.nothing(operation, call);
  }

  protected override askContent(operation: Operation, call: Call): Promise<Response> {
    return this.#requester.content(operation, call);
  }

  protected override askPages<T>(operation: Operation, call: Call): PageRequest<T> {
    return new PageRequest((cursor) => {
      const query = cursor === undefined ? call.query : { ...call.query, cursor };
      return this.#requester.json<Page<T>>(operation, { ...call, query });
    });
  }

  protected override askStream(operation: Operation, call: Call): ChatStream {
    return this.#streams.stream(operation, call);
  }

  #liveSettings(path: SocketPath, { onState }: LiveOptions): LiveSettings {
    const key = this.#keyring.keyFor(OPERATIONS.stream_chat, undefined);
    const socket = this.#streams.socket(key, path);
    if (!socket) throw new UnreachableError('No WebSocket is here: give the client one in `WebSocket`.');
    const { retryDelay, run } = this.#patience;
    const onFailure = (error: CartritaApiError) => void this.#requester.failed(error);
    return { onState, socket, retryDelay, patience: run, onFailure };
  }

  /** An EventSource can send no key: a ticket does it, or the cookie of a session. */
  async #eventSource(request: ChatRequest, options: RequestOptions): Promise<EventSource> {
    const key = this.#keyring.keyFor(OPERATIONS.stream_chat, request);
    const { as: _, ...plain } = options as RequestOptions & { as?: unknown };
    const ticket = key && (await this.issueStreamTicket(plain)).ticket;
    const query = queryOf({ client_msg_id: options.idempotencyKey ?? randomId(), ...request, ticket });
    const address = this.#addresses.of(`/api/chat/stream?${query}`);
    return new EventSource(address, { withCredentials: this.#requester.settings.credentials === 'include' });
  }
}

function tell(options: ClientOptions, error: CartritaApiError): void {
  if (error.status === 401) options.onAuthError?.(error);
  else if (error.status === 429) options.onRateLimit?.(error);
  else options.onError?.(error);
}
