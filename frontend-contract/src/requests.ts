/** Sends one operation: key, deadline, retries with one Idempotency-Key, typed errors, hooks. */

import type { Addresses } from './addresses.js';
import { CartritaApiError, isAbort, NotCartritaError, UnreachableError, WaitingForApprovalError } from './errors.js';
import { UnauthenticatedError } from './generated/errors.js';
import type { WaitingResponse } from './generated/types.js';
import { VERSION } from './generated/version.js';
import type { Keyring, SentKey } from './keys.js';
import type { Call, Operation } from './operation.js';
import { assertHere, assertOurs, errorOfAnswer } from './refusals.js';
import { sendForm } from './uploads.js';
import { backoff, follow, pause, within } from './waiting.js';

/** Nobody is made to wait longer than this for another try. */
const LONGEST_WAIT_S = 60;

/** What every request of a client has in common. */
export interface RequestSettings {
  readonly addresses: Addresses;
  readonly keyring: Keyring;
  readonly fetch: typeof fetch;
  /** Milliseconds for a whole answer, tries included. */
  readonly timeout: number;
  readonly retries: number;
  /** Milliseconds before the first other try. */
  readonly retryDelay: number;
  readonly credentials: RequestCredentials;
  /** Told of each failure that a caller is about to see. */
  readonly onFailure: (error: CartritaApiError) => void;
}

export class Requester {
  readonly settings: RequestSettings;

  constructor(settings: RequestSettings) {
    this.settings = settings;
  }

  /** The answer's JSON. */
  async json<T>(operation: Operation, call: Call): Promise<T> {
    return this.#within(operation, call, async (attempted) => {
      const answer = await attempted;
      assertOurs(answer, 'json');
      const found = await parsed<T | WaitingResponse>(answer);
      if (answer.status === 202) throw new WaitingForApprovalError(found as WaitingResponse);
      return found as T;
    });
  }

  /** Done when the server says that it is. */
  async nothing(operation: Operation, call: Call): Promise<void> {
    await this.#within(operation, call, async (attempted) => {
      const answer = await attempted;
      assertOurs(answer, 'nothing');
      await answer.body?.cancel();
    });
  }

  /** The answer itself, whose bytes may take as long as they like. */
  async content(operation: Operation, call: Call): Promise<Response> {
    const controller = new AbortController();
    follow(call.options?.signal, controller);
    const { timeout = this.settings.timeout } = call.options ?? {};
    return this.#failing(() =>
      within(timeout, undefined, async (late) => {
        const leave = follow(late, controller);
        const answered = await this.#attempts(operation, call, controller.signal, timeout);
        leave();
        assertOurs(answered, 'content');
        return answered;
      }),
    );
  }

  /** One try, with no deadline of its own: for streams, which come back by themselves. */
  async once(
    operation: Operation,
    call: Call,
    signal: AbortSignal,
    key = this.keyFor(operation, call),
  ): Promise<Response> {
    const answer = await this.#sent(operation, call, signal, key);
    assertHere(answer);
    if (answer.status >= 400) throw await errorOfAnswer(answer);
    return answer;
  }

  keyFor(operation: Operation, call: Call): SentKey | undefined {
    return this.settings.keyring.keyFor(operation, call.body ?? call.query);
  }

  /** Tells the hooks of a failure, and gives it back to be thrown. */
  failed(error: unknown): unknown {
    if (error instanceof CartritaApiError) this.settings.onFailure(error);
    return error;
  }

  #within<T>(
    operation: Operation,
    call: Call,
    read: (attempted: Promise<Response>) => Promise<T>,
  ): Promise<T> {
    const given = call.options?.timeout;
    const timeout = given ?? (call.form ? 0 : this.settings.timeout);
    return this.#failing(() =>
      within(timeout, call.options?.signal, (signal) =>
        read(this.#attempts(operation, call, signal, timeout)),
      ),
    );
  }

  async #failing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.failed(error);
    }
  }

  async #attempts(operation: Operation, given: Call, signal: AbortSignal, timeout: number): Promise<Response> {
    const began = performance.now();
    const call = withIdempotencyKey(operation, given);
    for (let failures = 1; ; failures += 1) {
      try {
        return await this.once(operation, call, signal);
      } catch (error) {
        const wait = this.#waitBefore(error, failures, operation, call);
        const late = timeout > 0 && wait !== undefined && performance.now() - began + wait > timeout;
        if (wait === undefined || late) throw error;
        await pause(wait, signal);
      }
    }
  }

  /** Milliseconds before another try; undefined where there is to be none. */
  #waitBefore(error: unknown, failures: number, operation: Operation, call: Call): number | undefined {
    if (failures > this.settings.retries || !(error instanceof CartritaApiError)) return undefined;
    if (!mayRepeat(error, isRepeatable(operation, call))) return undefined;
    const { retryAfter } = error;
    if (retryAfter !== undefined && retryAfter > LONGEST_WAIT_S) return undefined;
    const least = backoff(failures, this.settings.retryDelay);
    return Math.max(least, (retryAfter ?? 0) * 1000);
  }

  async #sent(operation: Operation, call: Call, signal: AbortSignal, key: SentKey | undefined): Promise<Response> {
    const url = this.#address(operation, call);
    const init: RequestInit = {
      method: operation.method,
      headers: headersOf(operation, call, key),
      credentials: this.settings.credentials,
      redirect: 'manual',
      signal,
    };
    try {
      if (call.form) return await sendForm(url, init, call.form, this.settings.fetch, call.options?.onProgress);
      if (call.body) init.body = JSON.stringify(call.body);
      return await this.settings.fetch(url, init);
    } catch (error) {
      throw isAbort(error, signal) ? signal.reason : unreachable(url, error);
    }
  }

  #address(operation: Operation, call: Call): string {
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(call.path?.[name] ?? ''),
    );
    const query = queryOf(call.query ?? {}).toString();
    return this.settings.addresses.of(path) + (query ? `?${query}` : '');
  }
}

/** A query as the server reads it: lists repeated, objects as JSON, nothing for what is not there. */
export function queryOf(fields: object): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    if (value === undefined || value === null) continue;
    const plain = Array.isArray(value) && value.every((each) => typeof each !== 'object');
    for (const each of plain ? (value as unknown[]) : [value]) query.append(name, textOf(each));
  }
  return query;
}

function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A connection that broke, or the typed error that it already is. */
export function unreachable(url: string, error: unknown): unknown {
  if (error instanceof CartritaApiError) return error;
  const { origin } = new URL(url);
  const sentence = `${origin} cannot be reached: is the server running there, and does it list this page's origin?`;
  return new UnreachableError(sentence, { cause: error });
}

async function parsed<T>(answer: Response): Promise<T> {
  try {
    return (await answer.json()) as T;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw unreachable(answer.url, error);
    throw new NotCartritaError(answer.url, answer.status, 'broken JSON');
  }
}

function headersOf(operation: Operation, call: Call, key: SentKey | undefined): Headers {
  const headers = new Headers(call.options?.headers);
  headers.set('Accept', operation.answer === 'events' ? 'text/event-stream' : ACCEPTED[operation.answer]);
  headers.set('X-Client-Version', `cartrita-typescript/${VERSION}`);
  if (call.body) headers.set('Content-Type', 'application/json');
  if (key && !headers.has('X-API-Key')) headers.set('X-API-Key', sendable(key.key));
  const { idempotencyKey } = call.options ?? {};
  if (idempotencyKey) headers.set('Idempotency-Key', idempotencyKey);
  return headers;
}

/** The key, if a header can hold it; what the platform says of another would show it. */
function sendable(key: string): string {
  const trimmed = key.trim();
  if (/^[\x20-\x7e]*$/.test(trimmed)) return trimmed;
  const sentence = 'The key has characters that no key has: copy it again.';
  throw new UnauthenticatedError(sentence, { kind: 'unauthenticated', code: 'unauthenticated' });
}

const ACCEPTED = { json: 'application/json', nothing: '*/*', content: '*/*' } as const;

/** The same key for every try of a call, so that all of them are one. */
export function withIdempotencyKey(operation: Operation, call: Call): Call {
  if (operation.repetition !== 'with_key' || call.options?.idempotencyKey) return call;
  return { ...call, options: { ...call.options, idempotencyKey: crypto.randomUUID() } };
}

function isRepeatable(operation: Operation, call: Call): boolean {
  return operation.repetition === 'safe' || call.options?.idempotencyKey !== undefined;
}

/** What was refused for now may be sent again by anyone; what may have been done, by a key only. */
function mayRepeat(error: CartritaApiError, repeatable: boolean): boolean {
  if (error.status === 429) return true;
  if (!repeatable) return false;
  return error instanceof UnreachableError || [408, 503].includes(error.status);
}
