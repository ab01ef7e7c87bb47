/**
 * What fails, as classes: whatever this client throws, but for an abort, is a CartritaApiError.
 *
 *     CartritaApiError              the server refused, or a run failed: one class for each kind
 *     ├── RateLimitedError, ...     (generated/errors.ts)
 *     ├── WaitingForApprovalError   a whole answer that a person has to decide on first
 *     ├── AlreadyEndedError         the reader had seen the end before
 *     ├── UnreadableFileError       a file of this machine could not be read
 *     ├── UnusableAddressError      the base URL, or an id, makes no address of a server's
 *     └── TransportError            no answer of the server's
 *         ├── UnreachableError      nobody answers there, or the connection broke
 *         ├── TimedOutError         it took longer than `timeout`
 *         ├── StalledError          a stream fell silent, heartbeats included
 *         └── NotCartritaError      something else answers at this address
 */

import type { WaitingResponse } from './generated/types.js';

/** What is known of a failure. */
export interface ErrorFacts {
  readonly kind: string;
  readonly code: string;
  /** The HTTP status; 0 where there is none. */
  readonly status?: number;
  /** Whether the same again may succeed. */
  readonly retryable?: boolean;
  /** Seconds after which to come back. */
  readonly retryAfter?: number | undefined;
  readonly details?: Readonly<Record<string, unknown>>;
  /** What is wrong, by field, where values were wrong. */
  readonly errors?: Readonly<Record<string, readonly string[]>>;
  /** Name it when you ask for help: the server's log has it. */
  readonly requestId?: string | undefined;
  /** Whether the server itself said so, and not something on the way to it. */
  readonly told?: boolean;
  readonly cause?: unknown;
}

export class CartritaApiError extends Error {
  readonly kind: string;
  readonly code: string;
  readonly status: number;
  readonly retryable: boolean;
  readonly retryAfter: number | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  readonly errors: Readonly<Record<string, readonly string[]>>;
  readonly requestId: string | undefined;
  readonly told: boolean;

  constructor(message: string, facts: ErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.kind = facts.kind;
    this.code = facts.code;
    this.status = facts.status ?? 0;
    this.retryable = facts.retryable ?? false;
    this.retryAfter = facts.retryAfter;
    this.details = facts.details ?? {};
    this.errors = facts.errors ?? {};
    this.requestId = facts.requestId;
    this.told = facts.told ?? false;
  }
}

export class WaitingForApprovalError extends CartritaApiError {
  /** The run that waits, and what is to be decided. */
  readonly waiting: WaitingResponse;

  constructor(waiting: WaitingResponse) {
    const message = `The run ${waiting.run_id} waits for a decision on ${waiting.approval.tool_name}.`;
    super(message, { kind: 'waiting_for_approval', code: 'waiting_for_approval', status: 202, told: true });
    this.waiting = waiting;
  }
}

export class AlreadyEndedError extends CartritaApiError {
  constructor(message = 'This stream had nothing left to tell: ask for its run, or its message.') {
    super(message, { kind: 'already_ended', code: 'already_ended' });
  }
}

export class UnreadableFileError extends CartritaApiError {
  constructor(name: string, cause?: unknown) {
    const message = `The file ${JSON.stringify(name)} cannot be read: choose it again.`;
    super(message, { kind: 'unreadable_file', code: 'unreadable_file', cause });
  }
}

export class UnusableAddressError extends CartritaApiError {
  constructor(message: string) {
    super(message, { kind: 'unusable_address', code: 'unusable_address' });
  }
}

export class TransportError extends CartritaApiError {}

export class UnreachableError extends TransportError {
  constructor(message: string, facts: Pick<ErrorFacts, 'cause' | 'status' | 'retryAfter'> = {}) {
    super(message, { ...facts, kind: 'unreachable', code: 'unreachable', retryable: true });
  }
}

export class TimedOutError extends TransportError {
  constructor(milliseconds: number) {
    const message = `No answer within ${milliseconds} ms: give it a longer \`timeout\`, or stream.`;
    super(message, { kind: 'timed_out', code: 'timed_out', retryable: true });
  }
}

export class StalledError extends TransportError {
  constructor(milliseconds: number) {
    const message = `The stream was silent for ${milliseconds} ms, without a heartbeat.`;
    super(message, { kind: 'stalled', code: 'stalled', retryable: true });
  }
}

export class NotCartritaError extends TransportError {
  constructor(url: string, status: number, mediaType: string) {
    const what = [status || '', 'with', mediaType || 'no media type'].join(' ').trim();
    super(`${url || 'The address'} answers ${what}, as no Cartrita server does: check the base URL.`, {
      kind: 'not_cartrita',
      code: 'not_cartrita',
      status,
    });
  }
}

/** Whether this is how platforms say that the caller gave up. */
export function isAbort(error: unknown, signal?: AbortSignal): boolean {
  return signal?.aborted === true && (error === signal.reason || nameOf(error) === 'AbortError');
}

function nameOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.name : '';
}
