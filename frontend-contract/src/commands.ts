/** What is said of runs over a live session, kept until the server has handled it. */

import { CartritaApiError } from './errors.js';
import type { DecisionRequest } from './generated/types.js';
import type { SocketConnection } from './socket.js';
import { pause } from './waiting.js';

/** A frame about a run. */
export interface Command {
  readonly frame: { readonly type: string; readonly run_id?: string | undefined };
  /** Whether it is said again over the next connection; a `resume` is not, as each begins anew. */
  readonly lasts: boolean;
  /** The server did it, as the `pong` behind it tells. */
  readonly done: () => void;
  readonly refused: (error: unknown) => void;
}

/** What an error frame names of the frame that it refuses. */
export interface Refusal {
  readonly run_id?: string | undefined;
  readonly client_msg_id?: string | undefined;
}

/** The server handles frames one after the other, so a refusal is of the first that fits. */
export class Commands {
  readonly #open = new Set<Command>();
  readonly #signal: AbortSignal;
  #sent: { readonly command: Command; answered: boolean }[] = [];
  #connection: SocketConnection | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  say(command: Command): void {
    this.#open.add(command);
    if (this.#connection) this.#send(command);
  }

  /** Stops a run; told of what the server says against it. */
  cancel(runId: string, onFailure: (error: CartritaApiError) => void): void {
    const refused = (error: unknown) => error instanceof CartritaApiError && onFailure(error);
    this.say({ frame: { type: 'cancel', run_id: runId }, lasts: true, done: () => undefined, refused });
  }

  /** Done when the server has taken the decision. */
  approve(runId: string, approvalId: string, decision: DecisionRequest): Promise<void> {
    const frame = { ...decision, type: 'approve', run_id: runId, approval_id: approvalId };
    return new Promise((done, refused) => this.say({ frame, lasts: true, done, refused }));
  }

  /** Over a new connection: after what `first` says, says again what may not have been handled. */
  begin(connection: SocketConnection, first: () => void): void {
    for (const each of this.#open) if (!each.lasts) this.#open.delete(each);
    const again = [...this.#open];
    this.#connection = connection;
    this.#sent = [];
    first();
    for (const each of again) this.#send(each);
  }

  /** The connection is gone. */
  pause(): void {
    this.#connection = undefined;
  }

  /** Tells whoever said it, or says it again where it came too early; false if none of these was meant. */
  refuse(refusal: Refusal, error: CartritaApiError): boolean {
    const found = refusal.client_msg_id === undefined && this.#sent.find((each) => isMeant(each, refusal));
    if (!found) return false;
    found.answered = true;
    const { command } = found;
    if (error.retryAfter !== undefined) void this.#later(command, error.retryAfter * 1000);
    else if (this.#open.delete(command)) command.refused(error);
    return true;
  }

  /** Nothing can be said any more. */
  end(error: unknown): void {
    const left = [...this.#open].filter((each) => each.lasts);
    this.#open.clear();
    this.#connection = undefined;
    for (const each of left) each.refused(error);
  }

  async #later(command: Command, wait: number): Promise<void> {
    await pause(wait, this.#signal).catch(() => undefined);
    if (this.#open.has(command) && this.#connection) this.#send(command);
  }

  #send(command: Command): void {
    const sent = { command, answered: false };
    this.#sent.push(sent);
    this.#connection?.send(command.frame);
    this.#connection?.ping(() => {
      this.#sent = this.#sent.filter((each) => each !== sent);
      if (!sent.answered && this.#open.delete(command)) command.done();
    });
  }
}

function isMeant(sent: { command: Command; answered: boolean }, { run_id: runId }: Refusal): boolean {
  return !sent.answered && sent.command.frame.run_id === runId;
}
