/** What a test gives to its program, and what the program tells the test: JSON, line by line. */

import { CartritaApiClient, CartritaApiError, type ClientOptions } from '@cartrita/client';

/** Milliseconds that make a failure quick, and heartbeats few. */
export const QUICK = { retryDelay: 5, firstByte: 20_000, stall: 30_000, run: 60_000, poll: 20 } as const;

export function given<T>(): T {
  return JSON.parse(process.env['GIVEN'] ?? 'null') as T;
}

export function tell(fact: object): void {
  console.log(JSON.stringify(fact));
}

export function clientOf(base: string, apiKey: string, options: ClientOptions = {}): CartritaApiClient {
  return new CartritaApiClient(base, { apiKey, ...options, patience: { ...QUICK, ...options.patience } });
}

/** An error as a fact, its class by name. */
export function errorFact(error: unknown): object {
  if (!(error instanceof CartritaApiError)) return { name: nameOf(error), message: String(error), ours: false };
  const { name, kind, code, status, retryable, retryAfter, details, errors, requestId, message } = error;
  return { name, kind, code, status, retryable, retryAfter, details, errors, requestId, message, ours: true };
}

/** What comes of some work: the value, or the error. */
export async function outcome(work: () => PromiseLike<unknown>): Promise<object> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error: errorFact(error) };
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.name : typeof error;
}
