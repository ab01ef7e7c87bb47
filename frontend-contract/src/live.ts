/** Several answers over one WebSocket that comes back by itself, with an outbox meanwhile. */

import { Commands, type Command, type Refusal } from './commands.js';
import { CartritaApiError, UnreachableError } from './errors.js';
import type { ChatRequest, DecisionRequest, ServerFrame } from './generated/types.js';
import { randomId } from './ids.js';
import { isTerminal, Place, type ChatStreamEvent } from './place.js';
import { errorOf, type WrittenError } from './refusals.js';
import { isEnd, isRefusal, openSocket, type SocketConnection, type SocketSettings } from './socket.js';
import { ChatStream } from './stream.js';
import { eventOf } from './transports/websocket.js';
import { backoff, pause } from './waiting.js';

export type LiveState = 'connecting' | 'open' | 'waiting' | 'closed';

export interface LiveOptions {
  /** Told when the connection opens, is lost, or is closed for good. */
  readonly onState?: ((state: LiveState) => void) | undefined;
}

export interface LiveSettings extends LiveOptions {
  readonly socket: SocketSettings;
  readonly retryDelay: number;
  /** Milliseconds without a connection after which answers are given up. */
  readonly patience: number;
  /** Told of a frame that the server refused and that belongs to no answer. */
  readonly onFailure: (error: CartritaApiError) => void;
}

/** Close codes after which to come again would change nothing. */
const FINAL_CODES: ReadonlySet<number> = new Set([1002, 1007, 1008]);

export class LiveSession {
  readonly #settings: LiveSettings;
  readonly #controller = new AbortController();
  readonly #answers = new Set<LiveAnswer>();
  readonly #commands = new Commands(this.#controller.signal);
  #connection: SocketConnection | undefined;
  #state: LiveState = 'connecting';
  #retryMs: number | undefined;

  constructor(settings: LiveSettings) {
    this.#settings = settings;
    void this.#run();
  }

  get state(): LiveState {
    return this.#state;
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
    const refused = (error: unknown) => error instanceof CartritaApiError && this.#settings.onFailure(error);
    const frame = { type: 'cancel', run_id: runId };
    this.#commands.say({ frame, lasts: true, done: () => undefined, refused });
  }

  /** Decides on what a run waits for: done when the server has taken it, or tells why it does not. */
  async approve(runId: string, approvalId: string, decision: DecisionRequest): Promise<void> {
    if (this.#state === 'closed') throw new UnreachableError('The live session is closed.');
    const frame = { ...decision, type: 'approve', run_id: runId, approval_id: approvalId };
    return new Promise((done, refused) => this.#commands.say({ frame, lasts: true, done, refused }));
  }

  /** Tells what was received. The cursor is this client's own, so nothing depends on it. */
  ack(runId: string, seq: number): void {
    this.#connection?.send({ type: 'ack', run_id: runId, seq });
  }

  /** Leaves; answers that are not at their end go on without this client. */
  close(): void {
    this.#controller.abort(new DOMException('The live session was closed.', 'AbortError'));
    this.#connection?.close();
    this.#end(this.#controller.signal.reason);
  }

  #follow(answer: LiveAnswer): ChatStream {
    if (this.#state === 'closed') answer.fail(new UnreachableError('The live session is closed.'));
    else this.#answers.add(answer);
    if (this.#state === 'open') this.#ask(answer);
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
    else this.#connection?.send(answer.opening);
  }

  #resumption(answer: LiveAnswer): Command {
    const { runId: run_id, seq: after } = answer.place;
    const frame = { type: 'resume', run_id, after };
    return { frame, lasts: false, done: () => undefined, refused: (error) => this.#failed(answer, error) };
  }

  async #run(): Promise<void> {
    let failures = 0;
    let since = performance.now();
    while (this.#state !== 'closed') {
      try {
        this.#tell('connecting');
        const connection = await openSocket(this.#settings.socket, this.#controller.signal);
        this.#opened(connection);
        await this.#read(connection, () => (failures = 0));
        this.#commands.pause();
        since = performance.now();
      } catch (error) {
        if (isLost(error) || performance.now() - since > this.#settings.patience) this.#end(error);
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

  /** What the server may not have: runs that go on, messages not accepted, and what was said meanwhile. */
  #opened(connection: SocketConnection): void {
    this.#connection = connection;
    const answers = [...this.#answers];
    const known = answers.filter((each) => each.place.known);
    this.#commands.begin(connection, known.map((each) => this.#resumption(each)));
    for (const each of answers.filter((answer) => !answer.place.known)) this.#ask(each);
    this.#tell('open');
  }

  async #read(connection: SocketConnection, heard: () => void): Promise<void> {
    for (;;) {
      const frame = await connection.next();
      if (isEnd(frame)) {
        if (FINAL_CODES.has(frame.code)) throw new SessionLost(frame.error);
        if (frame.error.retryAfter) this.#retryMs = frame.error.retryAfter * 1000;
        return;
      }
      heard();
      this.#take(frame);
    }
  }

  #take(frame: ServerFrame): void {
    if (isRefusal(frame)) return this.#refused(frame);
    if ('type' in frame && frame.type === 'drain') this.#retryMs = frame.retry_after * 1000;
    for (const answer of this.#answers) {
      answer.take(frame);
      if (answer.ended) this.#answers.delete(answer);
    }
  }

  #refused(frame: ServerFrame & WrittenError & Refusal): void {
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
    await pause(wait, this.#controller.signal).catch(() => undefined);
    if (this.#state === 'open' && this.#answers.has(answer)) this.#ask(answer);
  }

  #end(error: unknown): void {
    if (this.#state === 'closed') return;
    const cause = error instanceof SessionLost ? error.error : error;
    for (const answer of this.#answers) answer.fail(cause);
    this.#answers.clear();
    this.#commands.end(cause);
    if (cause instanceof CartritaApiError) this.#settings.onFailure(cause);
    this.#tell('closed');
  }

  #tell(state: LiveState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#settings.onState?.(state);
  }
}

/** The server will not have this client. */
class SessionLost {
  readonly error: CartritaApiError;
  constructor(error: CartritaApiError) {
    this.error = error;
  }
}

function isLost(error: unknown): error is SessionLost {
  return error instanceof SessionLost;
}

/** One answer of a session: what asks for it now, and its events until somebody reads them. */
class LiveAnswer {
  readonly place = new Place();
  readonly #chat: object | undefined;
  readonly #messageId: string | undefined;
  readonly #waiting: ChatStreamEvent[] = [];
  #failure: unknown;
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(chat: object | undefined, messageId: string | undefined) {
    this.#chat = chat;
    this.#messageId = messageId;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The message, until the server has it. */
  get opening(): object {
    return this.#chat ?? {};
  }

  isNamedBy(frame: Refusal): boolean {
    if (frame.client_msg_id !== undefined) return frame.client_msg_id === this.#messageId;
    return this.place.known && frame.run_id === this.place.runId;
  }

  take(frame: ServerFrame): void {
    if ('type' in frame && frame.type === 'accepted' && frame.client_msg_id !== this.#messageId) return;
    if ('event' in frame && frame.run_id !== this.place.runId) return;
    const event = eventOf(frame, this.place);
    if (event) this.#waiting.push(event);
    this.#ended ||= this.place.atEnd || (event !== undefined && isTerminal(event));
    this.#wake();
  }

  fail(error: unknown): void {
    this.#failure = error;
    this.#ended = true;
    this.#wake();
  }

  async *events(left: () => void): AsyncGenerator<ChatStreamEvent> {
    try {
      for (;;) {
        const event = this.#waiting.shift();
        if (event) yield event;
        else if (this.#ended) break;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      if (this.#failure !== undefined) throw this.#failure;
    } finally {
      left();
    }
  }
}
