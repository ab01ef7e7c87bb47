/** How long to wait, for whom, and until when: timeouts, pauses, and what the server asks for. */

import { TimedOutError } from './errors.js';

/** Runs with a signal that the caller's signal or the deadline aborts, which can be set again; 0 is none. */
export async function within<T>(
  milliseconds: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal, again: (milliseconds: number) => void) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const again = (limit: number) => {
    clearTimeout(timer);
    const lapse = () => controller.abort(new TimedOutError(limit));
    timer = limit > 0 ? setTimeout(lapse, limit) : undefined;
  };
  again(milliseconds);
  const leave = follow(signal, controller);
  try {
    return await work(controller.signal, again);
  } catch (error) {
    const { reason } = controller.signal as { reason: unknown };
    throw reason instanceof TimedOutError ? reason : error;
  } finally {
    clearTimeout(timer);
    leave();
  }
}

/** Lets one controller abort with another signal; returns how to stop that. */
export function follow(signal: AbortSignal | undefined, controller: AbortController): () => void {
  if (!signal) return () => undefined;
  if (signal.aborted) controller.abort(signal.reason);
  const abort = () => controller.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}

/** Resolves after so long; rejects when the signal aborts. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** A pause that grows with each failure, with jitter, so that many clients do not come at once. */
export function backoff(failures: number, first: number, longest = 10_000): number {
  const full = Math.min(first * 2 ** Math.max(failures - 1, 0), longest);
  return full / 2 + (full / 2) * Math.random();
}

/**
 * What `Retry-After` asks for, in seconds. A date is compared with the answer's own `Date`, because
 * the clock of this machine may be wrong.
 */
export function retryAfterOf(headers: Headers): number | undefined {
  const said = headers.get('retry-after');
  if (said === null) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(said)) return Number(said);
  const until = Date.parse(said) - Date.parse(headers.get('date') ?? '');
  return Number.isNaN(until) ? undefined : Math.max(until / 1000, 0);
}
