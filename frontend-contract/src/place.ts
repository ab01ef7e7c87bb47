/** Where a reader of a run's events is: which run, after which event. */

import { EVENT_NAMES } from './generated/events.js';
import type { ChatEvent } from './generated/types.js';

/** An event of a run; those that are told but not logged have no `id`. */
export type ChatStreamEvent = ChatEvent & {
  readonly id: string | undefined;
};

/** A reader's place; transports move it, and whoever comes back begins at it. */
export class Place {
  runId: string | undefined;
  seq = 0;
  /** Milliseconds that the server wants readers to wait before they come back. */
  retryMs: number | undefined;
  /** Whether any byte came over the connection that is open, or was open last. */
  heard = false;
  /** Whether the server said that this reader has seen the last event. */
  atEnd = false;
  readonly approvalsTold = new Set<string>();

  get lastEventId(): string | undefined {
    return this.runId === undefined ? undefined : `${this.runId}.${this.seq}`;
  }

  /** Whether the run is known, so that coming back is all that it takes. */
  get known(): boolean {
    return this.runId !== undefined;
  }

  /** Moves to an id such as `run_0192.7`; false where it is behind already. */
  moveTo(id: string): boolean {
    const dot = id.lastIndexOf('.');
    const seq = Number(id.slice(dot + 1));
    if (dot < 0 || !Number.isInteger(seq)) return true;
    return this.move(id.slice(0, dot), seq);
  }

  move(runId: string, seq: number): boolean {
    this.runId = runId;
    if (seq < this.seq || (seq === this.seq && seq > 0)) return false;
    this.seq = seq;
    return true;
  }

  /** The event at this place, or undefined for one that a newer server invented. */
  event(frame: unknown, id: string | undefined): ChatStreamEvent | undefined {
    const { event, data } = frame as { event?: unknown; data?: unknown };
    if (typeof event !== 'string' || !EVENT_NAMES.has(event)) return undefined;
    const told = { id, event, data } as ChatStreamEvent;
    if (told.event === 'approval_required' && !this.#isNewApproval(told.data.approval_id)) return undefined;
    return told;
  }

  #isNewApproval(approvalId: string): boolean {
    const isNew = !this.approvalsTold.has(approvalId);
    this.approvalsTold.add(approvalId);
    return isNew;
  }
}

/** Whether nothing follows an event. */
export function isTerminal(event: ChatStreamEvent): boolean {
  return event.event === 'done' || event.event === 'error';
}
