/** Sends one operation: key, deadline, retries with one Idempotency-Key, typed errors, hooks. */

import { filled, type Addresses } from './addresses.js';
import { CartritaApiError, isAbort, NotCartritaError, UnreachableError, WaitingForApprovalError } from './errors.js';
import { UnauthenticatedError } from './generated/errors.js';
import type { WaitingResponse } from './generated/types.js';
import { VERSION } from './generated/version.js';
import { randomId } from './ids.js';
import type { Keyring, SentKey } from './keys.js';
import type { Call, Operation } from './operation.js';
import { assertHere, assertOurs, errorOfAnswer } from './refusals.js';
import { sendForm, sizeOf, type OnProgress } from './uploads.js';
import { backoff, follow, pause, within } from './waiting.js';

/** Nobody is made to wait longer than this for another try. */
const LONGEST_WAIT_S = 60;

/** Bytes that the slowest line takes in a millisecond. */
const SLOWEST_LINE = 16;

type Read<T> = (answer: Response) => T | Promise<T>;

/** What every request of a client has in common. */
export interface RequestSettings {
  readonly addresses: Addresses;
  readonly keyring: Keyring;
  readonly fetch: typeof fetch;
  /** Milliseconds for a whole answer, tries included. */
  readonly timeout: number;
  /** Milliseconds without a byte after which an upload is given up. */
  readonly stall: number;
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
    return this.#within(operation, call, async (answer) => {
      assertOurs(answer, 'json');
      const found = await parsed<T | WaitingResponse>(answer);
      if (operation.waits && answer.status === 202) throw new WaitingForApprovalError(found as WaitingResponse);
      return found as T;
    });
  }

  /** Done when the server says that it is. */
  async nothing(operation: Operation, call: Call): Promise<void> {
    await this.#within(operation, call, async (answer) => {
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
        const isTooLong = after(timeout);
        const answer = await this.#attempts(operation, call, controller.signal, isTooLong, (each) => each);
        leave();
        assertOurs(answer, 'content');
        return answer;
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
    if (answer.status >= 400) throw await errorOfAnswer(answer);
    return answer;
  }

  keyFor(operation: Operation, call: Call): SentKey | undefined {
    const form = call.form && Object.fromEntries(call.form);
    return this.settings.keyring.keyFor(operation, call.body ?? form ?? call.query);
  }

  /** Tells the hooks of a failure, and gives it back to be thrown. */
  failed(error: unknown): unknown {
    if (error instanceof CartritaApiError) this.settings.onFailure(error);
    return error;
  }

  #within<T>(operation: Operation, call: Call, read: Read<T>): Promise<T> {
    if (call.form && call.options?.timeout === undefined) return this.#unlessSilent(operation, call, read);
    const { timeout = this.settings.timeout, signal } = call.options ?? {};
    return this.#failing(() =>
      within(timeout, signal, (bounded) => this.#attempts(operation, call, bounded, after(timeout), read)),
    );
  }

  /** A form may take as long as its bytes move; until they are counted, as long as on a slow line. */
  #unlessSilent<T>(operation: Operation, call: Call, read: Read<T>): Promise<T> {
    const { timeout, stall } = this.settings;
    const limit = Math.max(timeout, stall);
    const { options } = call;
    const uncounted = sizeOf(call.form ?? []) / SLOWEST_LINE;
    return this.#failing(() =>
      within(limit + uncounted, options?.signal, (signal, again) => {
        const onProgress = options?.onProgress && watched(options.onProgress, () => again(limit));
        const counted = { ...call, options: { ...options, onProgress } };
        return this.#attempts(operation, counted, signal, (wait) => wait >= limit, read);
      }),
    );
  }

  async #failing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.failed(error);
    }
  }

  /** Tries until an answer is read; a wait that would be too long tells the failure instead. */
  async #attempts<T>(
    operation: Operation,
    given: Call,
    signal: AbortSignal,
    isTooLong: (wait: number) => boolean,
    read: Read<T>,
  ): Promise<T> {
    const call = withIdempotencyKey(operation, given);
    for (let failures = 1; ; failures += 1) {
      try {
        return await read(await this.once(operation, call, signal));
      } catch (error) {
        const wait = this.#waitBefore(error, failures, operation);
        if (wait === undefined || isTooLong(wait)) throw error;
        await pause(wait, signal);
      }
    }
  }

  /** Milliseconds before another try; undefined where there is to be none. */
  #waitBefore(error: unknown, failures: number, operation: Operation): number | undefined {
    if (failures > this.settings.retries || !(error instanceof CartritaApiError)) return undefined;
    if (!mayRepeat(error, isRepeatable(operation))) return undefined;
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
      const answer = await this.#answered(url, init, call);
      assertHere(url, answer);
      return answer;
    } catch (error) {
      throw isAbort(error, signal) ? signal.reason : unreachable(url, error);
    }
  }

  async #answered(url: string, init: RequestInit, call: Call): Promise<Response> {
    if (call.form) return sendForm(url, init, call.form, this.settings.fetch, call.options?.onProgress);
    if (call.body) init.body = JSON.stringify(call.body);
    return this.settings.fetch(url, init);
  }

  #address(operation: Operation, call: Call): string {
    const path = filled(operation.path, call.path);
    const query = queryOf(call.query ?? {}).toString();
    return this.settings.addresses.of(path) + (query ? `?${query}` : '');
  }
}

function watched(onProgress: OnProgress, heard: () => void): OnProgress {
  return (progress) => {
    heard();
    onProgress(progress);
  };
}

/** Whether a wait would end after a deadline that runs from now on; 0 is none. */
function after(timeout: number): (wait: number) => boolean {
  const began = performance.now();
  return (wait) => timeout > 0 && performance.now() - began + wait > timeout;
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
  const where = URL.canParse(url) ? new URL(url).origin : 'The server';
  const sentence = `${where} cannot be reached: is the server running there, and does it list this page's origin?`;
  return new UnreachableError(sentence, { cause: error });
}

/** The JSON of an answer. */
export async function parsed<T>(answer: Response): Promise<T> {
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
  return { ...call, options: { ...call.options, idempotencyKey: randomId() } };
}

/** Whether it may be sent again when it may have been done: a key helps where the server minds it. */
export function isRepeatable(operation: Operation): boolean {
  return operation.repetition !== 'unsafe';
}

/** What was refused for now may be sent again by anyone; what may have been done, by a key only. */
function mayRepeat(error: CartritaApiError, repeatable: boolean): boolean {
  if (error.status === 429) return true;
  if (!repeatable) return false;
  return error instanceof UnreachableError || [408, 503].includes(error.status);
}
