/** Where a reader of a run's events is: which run, after which event. */

import { EVENT_NAMES } from './generated/events.js';
import type { ChatEvent } from './generated/types.js';

/** A way to a run's events. */
export type TransportName = 'sse' | 'websocket' | 'polling';

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
  /** When the last byte came over the connection that is open, or was open last. */
  heardAt: number | undefined;
  /** Whether the server said that this reader has seen the last event. */
  atEnd = false;
  /** The way on which the events come. */
  transport: TransportName | undefined;
  readonly approvalsTold = new Set<string>();

  get heard(): boolean {
    return this.heardAt !== undefined;
  }

  hear(): void {
    this.heardAt = performance.now();
  }

  get lastEventId(): string | undefined {
    return this.runId === undefined ? undefined : `${this.runId}.${this.seq}`;
  }

  /** Whether the run is known, so that coming back is all that it takes. */
  get known(): boolean {
    return this.runId !== undefined;
  }

  /** Moves to an id such as `run_0192.7`; false where it is behind already. */
  moveTo(id: string): boolean {
    const cursor = cursorIn(id);
    return cursor === undefined || this.move(cursor.runId, cursor.seq);
  }

  move(runId: string, seq: number): boolean {
    this.runId = runId;
    if (seq < this.seq || (seq === this.seq && seq > 0)) return false;
    this.seq = seq;
    return true;
  }

  /** The event of a frame that is new here; a snapshot takes the place of all that was told. */
  take(frame: object, id: string | undefined): ChatStreamEvent | undefined {
    const { event, data } = frame as { event?: unknown; data?: unknown };
    if (event === 'snapshot') this.seq = 0;
    const isNew = id === undefined || this.moveTo(id);
    if (!isNew || typeof event !== 'string' || !EVENT_NAMES.has(event)) return undefined;
    const told = { id, event, data } as ChatStreamEvent;
    return told.event !== 'approval_required' || this.#isNewApproval(told.data.approval_id) ? told : undefined;
  }

  #isNewApproval(approvalId: string): boolean {
    const isNew = !this.approvalsTold.has(approvalId);
    this.approvalsTold.add(approvalId);
    return isNew;
  }
}

function cursorIn(id: string): { runId: string; seq: number } | undefined {
  const dot = id.lastIndexOf('.');
  const seq = Number(id.slice(dot + 1));
  return dot > 0 && Number.isInteger(seq) ? { runId: id.slice(0, dot), seq } : undefined;
}

/** Whether nothing follows an event. */
export function isTerminal(event: ChatStreamEvent): boolean {
  return event.event === 'done' || event.event === 'error';
}
