/** Several answers over one WebSocket that comes back by itself, with an outbox meanwhile. */

import { CartritaApiError, UnreachableError } from './errors.js';
import type { ChatRequest, DecisionRequest, ServerFrame } from './generated/types.js';
import { isTerminal, Place, type ChatStreamEvent } from './place.js';
import { errorOf } from './refusals.js';
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

/** What the server says of a decision, and not of the run that it is on. */
const OF_DECISIONS: ReadonlySet<string> = new Set([
  'approval_decided',
  'approval_expired',
  'approval_not_found',
  'arguments_changed',
  'validation_error',
]);
/** Close codes after which to come again would change nothing. */
const FINAL_CODES: ReadonlySet<number> = new Set([1002, 1007, 1008]);

export class LiveSession {
  readonly #settings: LiveSettings;
  readonly #controller = new AbortController();
  readonly #answers = new Set<LiveAnswer>();
  readonly #decisions = new Map<string, Decision[]>();
  #outbox: object[] = [];
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
    const client_msg_id = request.client_msg_id ?? crypto.randomUUID();
    const frame = { ...request, type: 'chat', client_msg_id };
    return this.#follow(new LiveAnswer(frame, client_msg_id));
  }

  /** Follows a run from after an event on. */
  resume(runId: string, after = 0): ChatStream {
    const answer = new LiveAnswer(undefined, undefined);
    answer.place.move(runId, after);
    return this.#follow(answer);
  }

  /** Stops a run, whose last event tells it. */
  cancel(runId: string): void {
    this.#say({ type: 'cancel', run_id: runId });
  }

  /** Decides on what a run waits for: done when the run goes on, or tells why it does not. */
  approve(runId: string, approvalId: string, decision: DecisionRequest): Promise<void> {
    this.#say({ ...decision, type: 'approve', run_id: runId, approval_id: approvalId });
    return new Promise((resolve, reject) => {
      const waiting = this.#decisions.get(runId) ?? [];
      this.#decisions.set(runId, [...waiting, { resolve, reject }]);
    });
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
    if (this.#state === 'open') this.#connection?.send(answer.opening);
    const controller = new AbortController();
    controller.signal.addEventListener('abort', () => {
      this.#answers.delete(answer);
      answer.fail(controller.signal.reason);
    });
    return new ChatStream(answer.events(() => this.#answers.delete(answer)), answer.place, controller);
  }

  #say(frame: object): void {
    if (this.#state === 'open') this.#connection?.send(frame);
    else this.#outbox.push(frame);
  }

  async #run(): Promise<void> {
    let failures = 0;
    let since = performance.now();
    while (this.#state !== 'closed') {
      try {
        this.#tell('connecting');
        this.#connection = await openSocket(this.#settings.socket, this.#controller.signal);
        this.#opened();
        await this.#read(this.#connection, () => (failures = 0));
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

  /** What the server may not have: messages not accepted, runs that go on, and what was said meanwhile. */
  #opened(): void {
    this.#tell('open');
    const said = this.#outbox;
    this.#outbox = [];
    for (const answer of this.#answers) this.#connection?.send(answer.opening);
    for (const frame of said) this.#connection?.send(frame);
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
    if ('event' in frame) this.#decided(frame.run_id, undefined);
  }

  #refused(frame: ServerFrame & { run_id?: string | undefined; client_msg_id?: string | undefined }): void {
    if (!isRefusal(frame)) return;
    const error = errorOf(frame);
    if (frame.run_id && OF_DECISIONS.has(error.code) && this.#decided(frame.run_id, error)) return;
    const answer = [...this.#answers].find((each) => each.isNamedBy(frame));
    if (!answer) return this.#settings.onFailure(error);
    if (error.retryAfter !== undefined) void this.#again(answer, error.retryAfter * 1000);
    else {
      this.#answers.delete(answer);
      answer.fail(error);
      this.#settings.onFailure(error);
    }
  }

  async #again(answer: LiveAnswer, wait: number): Promise<void> {
    await pause(wait, this.#controller.signal).catch(() => undefined);
    if (this.#state === 'open' && this.#answers.has(answer)) this.#connection?.send(answer.opening);
  }

  /** Settles the decisions on a run; whether there were any. */
  #decided(runId: string, error: CartritaApiError | undefined): boolean {
    const waiting = this.#decisions.get(runId) ?? [];
    this.#decisions.delete(runId);
    for (const { resolve, reject } of waiting) error ? reject(error) : resolve();
    return waiting.length > 0;
  }

  #end(error: unknown): void {
    if (this.#state === 'closed') return;
    const cause = error instanceof SessionLost ? error.error : error;
    for (const answer of this.#answers) answer.fail(cause);
    for (const waiting of this.#decisions.values()) for (const { reject } of waiting) reject(cause);
    this.#answers.clear();
    this.#decisions.clear();
    if (cause instanceof CartritaApiError) this.#settings.onFailure(cause);
    this.#tell('closed');
  }

  #tell(state: LiveState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#settings.onState?.(state);
  }
}

interface Decision {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
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

  /** The frame that makes its events come: again the message, or from the place on. */
  get opening(): object {
    if (!this.place.known) return this.#chat ?? {};
    return { type: 'resume', run_id: this.place.runId, after: this.place.seq };
  }

  isNamedBy(frame: { run_id?: string | undefined; client_msg_id?: string | undefined }): boolean {
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
