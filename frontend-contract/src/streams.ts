/** Makes the stream of an answer: by which calls it begins, by which ways it is followed. */

import type { CartritaApiError } from './errors.js';
import { OPERATIONS } from './generated/operations.js';
import { randomId } from './ids.js';
import type { Keyring, SentKey } from './keys.js';
import type { Call, Operation } from './operation.js';
import { Place, type TransportName } from './place.js';
import { isRepeatable, withIdempotencyKey, type Requester } from './requests.js';
import { resumed, type Endurance, type MayBegin, type Transport } from './resumption.js';
import type { SocketSettings, WebSocketType } from './socket.js';
import { ChatStream } from './stream.js';
import { Polling } from './transports/polling.js';
import { EventsOverHttp, type SilenceLimits } from './transports/sse.js';
import { EventsOverSocket } from './transports/websocket.js';
import { follow } from './waiting.js';

export interface StreamSettings extends Endurance, SilenceLimits {
  readonly keyring: Keyring;
  /** The ways to a run's events, the best first. */
  readonly transports: readonly TransportName[];
  /** What opens WebSockets, where the platform or the caller has it. */
  readonly socketType: WebSocketType | undefined;
  readonly socketURL: (path: string) => string;
  /** Milliseconds between two questions, where only those get through. */
  readonly pollInterval: number;
}

export type SocketPath = '/ws/chat' | '/ws/voice';

/** How a run is begun, each way; without any of them it is one that is known. */
interface Beginning {
  readonly streamed: { readonly operation: Operation; readonly call: Call } | undefined;
  readonly whole: { readonly operation: Operation; readonly call: Call } | undefined;
  readonly frame: object | undefined;
}

export class StreamMaker {
  readonly #requester: Requester;
  readonly #settings: StreamSettings;

  constructor(requester: Requester, settings: StreamSettings) {
    this.#requester = requester;
    this.#settings = settings;
  }

  /** The stream of the answer to a call; nothing is sent until it is read. */
  stream(operation: Operation, call: Call): ChatStream {
    const place = new Place();
    const runId = call.path?.['run_id'];
    if (runId !== undefined) place.move(runId, afterOf(call));
    const beginning = runId === undefined ? beginningOf(operation, call) : NO_BEGINNING;
    const key = this.#requester.keyFor(operation, call);
    const controller = new AbortController();
    const ways = () => this.#transports(beginning, key, { options: call.options });
    const mayBegin = (failure: CartritaApiError) => isRepeatable(operation) || failure.status === 429;
    const events = this.#events(ways, place, mayBegin, controller, call.options?.signal);
    return new ChatStream(events, place, controller);
  }

  /** Where a WebSocket is, and how it is opened; undefined where there is none. */
  socket(key: SentKey | undefined, path: SocketPath = '/ws/chat'): SocketSettings | undefined {
    const { socketType, socketURL, firstByte, stall } = this.#settings;
    const audio = path === '/ws/voice';
    return socketType && { url: socketURL(path), key, type: socketType, opening: firstByte, stall, audio };
  }

  async *#events(
    ways: () => readonly Transport[],
    place: Place,
    mayBegin: MayBegin,
    controller: AbortController,
    signal: AbortSignal | undefined,
  ): ReturnType<typeof resumed> {
    const leave = follow(signal, controller);
    try {
      yield* resumed(ways(), place, this.#settings, mayBegin, controller.signal);
    } catch (error) {
      throw this.#requester.failed(error);
    } finally {
      leave();
    }
  }

  #transports(beginning: Beginning, key: SentKey | undefined, call: Call): Transport[] {
    const { get_run: run, get_run_events: events } = OPERATIONS;
    const made: Record<TransportName, () => Transport> = {
      sse: () => new EventsOverHttp(this.#requester, { begin: beginning.streamed, events, key, call }, this.#settings),
      websocket: () => new EventsOverSocket(this.socket(key), beginning.frame),
      polling: () =>
        new Polling(this.#requester, { begin: beginning.whole, run, events, key, call }, this.#settings),
    };
    return this.#settings.transports.map((name) => made[name]());
  }
}

const NO_BEGINNING: Beginning = { streamed: undefined, whole: undefined, frame: undefined };

/** Every way sends the same message under the same id, so that all of them are one run. */
function beginningOf(operation: Operation, given: Call): Beginning {
  const call = identified(operation, given);
  const whole = operation.id === 'stream_chat' ? OPERATIONS.post_chat : operation;
  const { stream: _, ...body } = (call.body ?? {}) as Record<string, unknown>;
  return {
    streamed: { operation, call: operation.answer === 'events' ? { ...call, body } : asking(call, true) },
    whole: { operation: whole, call: asking(call, false) },
    frame: FRAMED.has(operation.id) ? { ...body, ...conversationOf(call) } : undefined,
  };
}

/** The call, with or without the wish for a stream, which stands in its form or in its body. */
function asking(call: Call, stream: boolean): Call {
  const others = call.form?.filter(([name]) => name !== 'stream');
  if (others) return { ...call, form: stream ? [...others, ['stream', 'true']] : others };
  const { stream: _, ...body } = (call.body ?? {}) as Record<string, unknown>;
  return { ...call, body: stream ? { ...body, stream } : body };
}

/** Operations whose message a `chat` frame can carry, too. */
const FRAMED: ReadonlySet<string> = new Set(['stream_chat', 'post_chat', 'send_message']);

function conversationOf(call: Call): object {
  const id = call.path?.['conversation_id'];
  return id === undefined ? {} : { conversation_id: id };
}

/** A key of the caller's makes the same message whenever it is sent again, over a WebSocket, too. */
function identified(operation: Operation, call: Call): Call {
  if (!FRAMED.has(operation.id)) return withIdempotencyKey(operation, call);
  const client_msg_id = call.options?.idempotencyKey ?? randomId();
  return { ...call, body: { client_msg_id, ...withoutUndefined(call.body) } };
}

function withoutUndefined(body: object | undefined): object {
  const given = Object.entries(body ?? {}) as [string, unknown][];
  return Object.fromEntries(given.filter(([, value]) => value !== undefined && value !== null));
}

function afterOf(call: Call): number {
  const after: unknown = (call.query as { after?: unknown } | undefined)?.after;
  return typeof after === 'number' ? after : 0;
}
