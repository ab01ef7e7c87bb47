/** The events of one answer, as they come, and what they add up to. */

import { AlreadyEndedError } from './errors.js';
import type { DoneData } from './generated/types.js';
import type { ChatStreamEvent, Place, TransportName } from './place.js';
import { errorOf } from './refusals.js';

/**
 * Iterate it for events, or await `text()` or `final()`. It begins when it is first asked for
 * something, and can be read once. Connections that break are mended on the way, so an iteration
 * ends with `done` or `error`, and throws only where there is no way left to the server. To stop
 * reading stops nothing on the server: `cancelRun` does.
 */
export class ChatStream implements AsyncIterable<ChatStreamEvent> {
  readonly #events: AsyncGenerator<ChatStreamEvent>;
  readonly #place: Place;
  readonly #controller: AbortController;
  #content = '';
  #conversationId: string | undefined;
  #messageId: string | undefined;
  #last: ChatStreamEvent | undefined;

  constructor(events: AsyncGenerator<ChatStreamEvent>, place: Place, controller: AbortController) {
    this.#events = events;
    this.#place = place;
    this.#controller = controller;
  }

  get runId(): string | undefined {
    return this.#place.runId;
  }

  /** What `Last-Event-ID` would be: give it back later to go on from here. */
  get lastEventId(): string | undefined {
    return this.#place.lastEventId;
  }

  /** The way on which it comes just now. */
  get transport(): TransportName | undefined {
    return this.#place.transport;
  }

  get conversationId(): string | undefined {
    return this.#conversationId;
  }

  /** The message that holds the answer. */
  get messageId(): string | undefined {
    return this.#messageId;
  }

  /** The text of the answer so far. */
  get content(): string {
    return this.#content;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChatStreamEvent> {
    for await (const event of this.#events) {
      this.#take(event);
      yield event;
    }
  }

  /** The end of it; a run that failed is thrown as the error of its kind. */
  async final(): Promise<DoneData> {
    for await (const event of this) this.#last = event;
    const last = this.#last;
    if (last?.event === 'done') return last.data;
    throw last?.event === 'error' ? errorOf(last.data) : new AlreadyEndedError();
  }

  /** The whole text of the answer. */
  async text(): Promise<string> {
    return (await this.final()).final_response;
  }

  /** Stops reading; the answer goes on without this reader. */
  close(): void {
    this.#controller.abort(new DOMException('The stream was closed.', 'AbortError'));
  }

  #take(told: ChatStreamEvent): void {
    this.#last = told;
    if (told.event === 'stream_start' || told.event === 'done') {
      this.#conversationId = told.data.conversation_id;
      this.#messageId = told.data.message_id;
    }
    if (told.event === 'token') this.#content = extended(this.#content, told.data.position, told.data.delta);
    if (told.event === 'done') this.#content = told.data.final_response;
    if (told.event === 'snapshot') this.#content = [...told.data.messages].reverse().find(isAnswer)?.content ?? '';
  }
}

function isAnswer(message: { readonly role: string }): boolean {
  return message.role === 'assistant';
}

/** `position` counts code points, as the server's strings do. */
function extended(text: string, position: number, delta: string): string {
  const atEnd = position >= text.length || [...text].length <= position;
  return (atEnd ? text : [...text].slice(0, position).join('')) + delta;
}
