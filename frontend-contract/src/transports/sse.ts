/** A run's events as server-sent events, read from the body of an answer. */

import { NotCartritaError, StalledError } from '../errors.js';
import type { SentKey } from '../keys.js';
import type { Call, Operation } from '../operation.js';
import type { ChatStreamEvent, Place } from '../place.js';
import { assertOurs, objectIn } from '../refusals.js';
import { unreachable, type Requester } from '../requests.js';
import type { Transport } from '../resumption.js';
import { SseParser, type SseBlock } from '../sse.js';
import { follow } from '../waiting.js';

/** Milliseconds of silence after which a connection is given up. */
export interface SilenceLimits {
  /** Before the first byte: the server sends some at once. */
  readonly firstByte: number;
  /** Between two: it sends a heartbeat every 15 s. */
  readonly stall: number;
}

/** How a run is begun, if it is to be begun, and how it is followed. */
export interface StreamCalls {
  readonly begin: { readonly operation: Operation; readonly call: Call } | undefined;
  readonly events: Operation;
  readonly key: SentKey | undefined;
  readonly call: Call;
}

export class EventsOverHttp implements Transport {
  readonly name = 'sse';
  readonly #requester: Requester;
  readonly #calls: StreamCalls;
  readonly #limits: SilenceLimits;

  constructor(requester: Requester, calls: StreamCalls, limits: SilenceLimits) {
    this.#requester = requester;
    this.#calls = calls;
    this.#limits = limits;
  }

  can(place: Place): boolean {
    return place.known || this.#calls.begin !== undefined;
  }

  async *open(place: Place, signal: AbortSignal): AsyncGenerator<ChatStreamEvent> {
    const controller = new AbortController();
    const leave = follow(signal, controller);
    try {
      const { firstByte } = this.#limits;
      const answer = await unlessSilent(firstByte, controller, this.#answer(place, controller.signal));
      if (answer.status === 204) place.atEnd = true;
      else yield* this.#read(answer, place, controller);
    } catch (error) {
      throw controller.signal.aborted ? controller.signal.reason : error;
    } finally {
      leave();
      controller.abort();
    }
  }

  async #answer(place: Place, signal: AbortSignal): Promise<Response> {
    const { begin, events, key, call } = this.#calls;
    if (!place.known && begin) {
      return this.#requester.once({ ...begin.operation, answer: 'events' }, begin.call, signal, key);
    }
    return this.#requester.once(events, resuming(place, call), signal, key);
  }

  async *#read(answer: Response, place: Place, controller: AbortController): AsyncGenerator<ChatStreamEvent> {
    assertOurs(answer, 'events');
    const parser = new SseParser();
    const decoder = new TextDecoder();
    const reader = answer.body?.getReader();
    while (reader) {
      const { firstByte, stall } = this.#limits;
      const limit = place.heard ? stall : firstByte;
      const { value, done } = await unlessSilent(limit, controller, reader.read()).catch((error: unknown) => {
        throw unreachable(answer.url, error);
      });
      if (done) return;
      place.hear();
      for (const block of parser.feed(decoder.decode(value, { stream: true }))) {
        const event = eventOf(block, place, answer);
        if (event) yield event;
      }
    }
  }
}

/** Asks for what follows the place: by the header, as `EventSource` does. */
function resuming(place: Place, call: Call): Call {
  const headers = place.seq > 0 && place.lastEventId ? { 'Last-Event-ID': place.lastEventId } : {};
  return {
    path: { run_id: place.runId ?? '' },
    options: { ...call.options, headers: { ...call.options?.headers, ...headers } },
  };
}

/** What a block tells that is new; an id alone moves the place, too. */
export function eventOf(block: SseBlock, place: Place, answer: Response): ChatStreamEvent | undefined {
  if (block.retry !== undefined) place.retryMs = block.retry;
  if (block.data !== undefined) return place.take(frameIn(block.data, answer), block.id);
  if (block.id !== undefined) place.moveTo(block.id);
  return undefined;
}

function frameIn(data: string, answer: Response): object {
  const frame = objectIn(data);
  if (frame) return frame;
  throw new NotCartritaError(answer.url, answer.status, 'events that are no JSON objects');
}

/** Aborts a connection on which nothing comes for so long, while it is read. */
async function unlessSilent<T>(milliseconds: number, controller: AbortController, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => controller.abort(new StalledError(milliseconds)), milliseconds);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
