/** Several answers over one WebSocket that comes back by itself, with an outbox meanwhile. */

import { Commands, type Command, type Refusal } from './commands.js';
import { CartritaApiError, UnreachableError } from './errors.js';
import type { ChatRequest, DecisionRequest } from './generated/types.js';
import { randomId } from './ids.js';
import { Mailbox } from './mailbox.js';
import { isTerminal, Place, type ChatStreamEvent } from './place.js';
import { Reconnection, type LiveSettings, type LiveState } from './reconnection.js';
import { errorOf, type WrittenError } from './refusals.js';
import { isRefusal, type SocketConnection, type SocketFrame } from './socket.js';
import { ChatStream } from './stream.js';
import { eventOf } from './transports/websocket.js';
import { pause } from './waiting.js';

export class LiveSession {
  readonly #settings: LiveSettings;
  readonly #answers = new Set<LiveAnswer>();
  readonly #commands: Commands;
  readonly #reconnection: Reconnection;

  constructor(settings: LiveSettings) {
    this.#settings = settings;
    this.#reconnection = new Reconnection(settings, {
      opened: (connection) => this.#opened(connection),
      lost: () => this.#commands.pause(),
      take: (frame) => this.#take(frame),
      ended: (error) => this.#ended(error),
    });
    this.#commands = new Commands(this.#reconnection.signal);
  }

  get state(): LiveState {
    return this.#reconnection.state;
  }

  /** Says something; it is sent again until the server has it, and answered once. */
  chat(request: ChatRequest): ChatStream {
    const client_msg_id = request.client_msg_id ?? randomId();
    const frame = { ...request, type: 'chat', client_msg_id };
    return this.#follow(new LiveAnswer(frame, client_msg_id));
  }

  /** Follows a run from after an event on. */
  resume(runId: string, after = 0): ChatStream {
    const answer = new LiveAnswer(undefined, undefined);
    answer.place.move(runId, after);
    return this.#follow(answer);
  }

  /** Stops a run, whose last event tells it; said again until the server has it. */
  cancel(runId: string): void {
    this.#commands.cancel(runId, this.#settings.onFailure);
  }

  /** Decides on what a run waits for: done when the server has taken it, or tells why it does not. */
  async approve(runId: string, approvalId: string, decision: DecisionRequest): Promise<void> {
    if (this.state === 'closed') throw new UnreachableError('The live session is closed.');
    return this.#commands.approve(runId, approvalId, decision);
  }

  /** Tells what was received. The cursor is this client's own, so nothing depends on it. */
  ack(runId: string, seq: number): void {
    this.#reconnection.connection?.send({ type: 'ack', run_id: runId, seq });
  }

  /** Leaves; answers that are not at their end go on without this client. */
  close(): void {
    this.#reconnection.close();
  }

  #follow(answer: LiveAnswer): ChatStream {
    if (this.state === 'closed') answer.fail(new UnreachableError('The live session is closed.'));
    else this.#answers.add(answer);
    if (this.state === 'open') this.#ask(answer);
    const controller = new AbortController();
    controller.signal.addEventListener('abort', () => {
      this.#answers.delete(answer);
      answer.fail(controller.signal.reason);
    });
    return new ChatStream(answer.events(() => this.#answers.delete(answer)), answer.place, controller);
  }

  /** Makes an answer's events come over this connection. */
  #ask(answer: LiveAnswer): void {
    if (answer.place.known) this.#commands.say(this.#resumption(answer));
    else this.#reconnection.connection?.send(answer.opening);
  }

  #resumption(answer: LiveAnswer): Command {
    const { runId: run_id, seq: after } = answer.place;
    const frame = { type: 'resume', run_id, after };
    return { frame, lasts: false, done: () => undefined, refused: (error) => this.#failed(answer, error) };
  }

  /** What the server may not have: runs that go on, messages not accepted, and what was said meanwhile. */
  #opened(connection: SocketConnection): void {
    const answers = [...this.#answers];
    const known = answers.filter((each) => each.place.known);
    this.#commands.begin(connection, () => known.forEach((each) => this.#ask(each)));
    for (const each of answers.filter((answer) => !answer.place.known)) this.#ask(each);
  }

  #take(frame: SocketFrame): void {
    if (isRefusal(frame)) return this.#refused(frame);
    for (const answer of this.#answers) {
      answer.take(frame);
      if (answer.ended) this.#answers.delete(answer);
    }
  }

  #refused(frame: WrittenError & Refusal): void {
    const error = errorOf(frame);
    if (this.#commands.refuse(frame, error)) return;
    const answer = [...this.#answers].find((each) => each.isNamedBy(frame));
    if (!answer) return this.#settings.onFailure(error);
    if (error.retryAfter !== undefined) void this.#again(answer, error.retryAfter * 1000);
    else this.#failed(answer, error);
  }

  #failed(answer: LiveAnswer, error: unknown): void {
    this.#answers.delete(answer);
    answer.fail(error);
    if (error instanceof CartritaApiError) this.#settings.onFailure(error);
  }

  async #again(answer: LiveAnswer, wait: number): Promise<void> {
    await pause(wait, this.#reconnection.signal).catch(() => undefined);
    if (this.state === 'open' && this.#answers.has(answer)) this.#ask(answer);
  }

  #ended(error: unknown): void {
    for (const answer of this.#answers) answer.fail(error);
    this.#answers.clear();
    this.#commands.end(error);
    if (error instanceof CartritaApiError) this.#settings.onFailure(error);
  }
}

/** One answer of a session: what asks for it now, and its events until somebody reads them. */
class LiveAnswer {
  readonly place = new Place();
  readonly #chat: object | undefined;
  readonly #messageId: string | undefined;
  readonly #told = new Mailbox<ChatStreamEvent>();

  constructor(chat: object | undefined, messageId: string | undefined) {
    this.#chat = chat;
    this.#messageId = messageId;
  }

  get ended(): boolean {
    return this.#told.ended;
  }

  /** The message, until the server has it. */
  get opening(): object {
    return this.#chat ?? {};
  }

  isNamedBy(frame: Refusal): boolean {
    if (frame.client_msg_id !== undefined) return frame.client_msg_id === this.#messageId;
    return this.place.known && frame.run_id === this.place.runId;
  }

  take(frame: SocketFrame): void {
    if ('type' in frame && frame.type === 'accepted' && frame.client_msg_id !== this.#messageId) return;
    if ('event' in frame && frame.run_id !== this.place.runId) return;
    const event = eventOf(frame, this.place);
    if (event) this.#told.put(event);
    if (this.place.atEnd || (event !== undefined && isTerminal(event))) this.#told.end();
  }

  fail(error: unknown): void {
    this.#told.end(error);
  }

  events(left: () => void): AsyncGenerator<ChatStreamEvent> {
    return this.#told.read(left);
  }
}
