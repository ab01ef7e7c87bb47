/** A run's events over a WebSocket of its own. */

import type { ChatStreamEvent, Place } from '../place.js';
import { errorOf } from '../refusals.js';
import type { Transport } from '../resumption.js';
import { isEnd, isRefusal, openSocket, type SocketFrame, type SocketSettings } from '../socket.js';

export class EventsOverSocket implements Transport {
  readonly name = 'websocket';
  readonly #settings: SocketSettings | undefined;
  readonly #chat: object | undefined;

  /** Without settings there is no WebSocket here; without a chat frame only a known run is followed. */
  constructor(settings: SocketSettings | undefined, chat: object | undefined) {
    this.#settings = settings;
    this.#chat = chat;
  }

  can(place: Place): boolean {
    return this.#settings !== undefined && (place.known || this.#chat !== undefined);
  }

  async *open(place: Place, signal: AbortSignal): AsyncGenerator<ChatStreamEvent> {
    if (!this.#settings) return;
    const connection = await openSocket(this.#settings, signal);
    const abort = () => connection.close();
    signal.addEventListener('abort', abort, { once: true });
    try {
      connection.send(place.known ? resuming(place) : { ...this.#chat, type: 'chat' });
      for (let frame = await connection.next(); !place.atEnd; frame = await connection.next()) {
        if (isEnd(frame)) {
          signal.throwIfAborted();
          if (frame.code === 1001) return;
          throw frame.error;
        }
        place.hear();
        if (isRefusal(frame)) throw errorOf(frame);
        const event = eventOf(frame, place);
        if (event) yield event;
      }
    } finally {
      signal.removeEventListener('abort', abort);
      connection.close();
    }
  }
}

function resuming(place: Place): object {
  return { type: 'resume', run_id: place.runId, after: place.seq };
}

/** The event of a frame that is new here; a place moves with each. */
export function eventOf(frame: SocketFrame, place: Place): ChatStreamEvent | undefined {
  if ('type' in frame) {
    if (frame.type === 'accepted') place.move(frame.run_id, 0);
    if (frame.type === 'drain') place.retryMs = frame.retry_after * 1000;
    return undefined;
  }
  if (!('event' in frame)) return undefined;
  const { run_id, seq } = frame;
  const event = place.take(frame, seq === undefined ? undefined : `${run_id}.${seq}`);
  const ends = frame.event === 'done' || frame.event === 'error';
  if (!event && ends) place.atEnd = true;
  return event;
}
