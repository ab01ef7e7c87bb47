/** Reads a run to its end over connections that break, by the best way there is. */

import {
  CartritaApiError,
  isAbort,
  NotCartritaError,
  StalledError,
  UnreachableError,
  UnusableAddressError,
} from './errors.js';
import { isTerminal, type ChatStreamEvent, type Place, type TransportName } from './place.js';
import { backoff, pause } from './waiting.js';

/** One way to a run's events: from the place on, until the connection ends. */
export interface Transport {
  readonly name: TransportName;
  /** Whether it can be used here, and from this place. */
  can(place: Place): boolean;
  open(place: Place, signal: AbortSignal): AsyncGenerator<ChatStreamEvent>;
}

export interface Endurance {
  /** Tries over one way, before the run is known. */
  readonly retries: number;
  /** Milliseconds before the first other try. */
  readonly retryDelay: number;
  /** Milliseconds without any progress after which a known run is given up. */
  readonly patience: number;
}

/** Whether a run that may have begun without telling its id may be begun again, after this failure. */
export type MayBegin = (failure: CartritaApiError) => boolean;

/** A connection over which bytes came for so much of the patience shows that the run lives. */
const HEALTHY = 1 / 12;
/** Tries over one way, once the run is known: a server that restarts takes seconds. */
const PATIENT_RETRIES = 5;

/** The events from the place on, whatever breaks, up to the terminal one. */
export async function* resumed(
  transports: readonly Transport[],
  place: Place,
  endurance: Endurance,
  mayBegin: MayBegin,
  signal: AbortSignal,
): AsyncGenerator<ChatStreamEvent> {
  const course = new Course(transports, place, endurance, mayBegin);
  while (!place.atEnd) {
    signal.throwIfAborted();
    const before = place.seq;
    const opened = performance.now();
    place.heardAt = undefined;
    place.transport = course.transport.name;
    let failure: unknown;
    try {
      for await (const event of course.transport.open(place, signal)) {
        yield event;
        if (isTerminal(event)) return;
      }
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      failure = error;
    }
    if (place.atEnd) return;
    const heardFor = (place.heardAt ?? opened) - opened;
    if (place.seq > before || heardFor >= endurance.patience * HEALTHY) course.advanced();
    await pause(course.next(failure), signal);
  }
}

/** Which way to try next, and when to give up. */
class Course {
  readonly #transports: readonly Transport[];
  readonly #place: Place;
  readonly #endurance: Endurance;
  readonly #mayBegin: MayBegin;
  #index = 0;
  #failures = 0;
  #givenUp: number;
  #first: unknown;

  constructor(transports: readonly Transport[], place: Place, endurance: Endurance, mayBegin: MayBegin) {
    this.#transports = transports;
    this.#place = place;
    this.#endurance = endurance;
    this.#mayBegin = mayBegin;
    this.#givenUp = performance.now() + endurance.patience;
    this.#index = this.#from(0) ?? 0;
  }

  get transport(): Transport {
    const transport = this.#transports[this.#index];
    if (!transport) throw new UnreachableError('No transport is left: allow one in `transports`.');
    return transport;
  }

  advanced(): void {
    this.#failures = 0;
    this.#first = undefined;
    this.#givenUp = performance.now() + this.#endurance.patience;
  }

  /** Milliseconds until the next try, which may go another way; throws what nothing helps against. */
  next(failure: unknown): number {
    if (failure === undefined && this.#place.known) return this.#afterCleanEnd();
    if (failure !== undefined && !(failure instanceof CartritaApiError)) throw failure;
    return this.#afterFailure(failure ?? new UnreachableError('The stream ended before it began.'));
  }

  #afterFailure(failure: CartritaApiError): number {
    if (isFinal(failure) || !(this.#place.known || this.#mayBegin(failure))) throw failure;
    this.#first ??= failure;
    this.#failures += 1;
    const blocked = isBlocked(failure, this.#place);
    if (blocked || this.#failures > this.#tries) return this.#anotherWay(blocked);
    const wait = backoff(this.#failures, this.#endurance.retryDelay);
    return this.#assertPatient(Math.max(wait, (failure.retryAfter ?? 0) * 1000));
  }

  get #tries(): number {
    return this.#place.known ? PATIENT_RETRIES : this.#endurance.retries;
  }

  /** A stream that ends without a terminal event asks its reader to come back. */
  #afterCleanEnd(): number {
    this.#failures = 0;
    return this.#assertPatient(this.#place.retryMs ?? this.#endurance.retryDelay * 4);
  }

  /** The ways are gone round again and again once the run is known, and once before. */
  #anotherWay(blocked: boolean): number {
    const next = this.#from(this.#index + 1);
    if (next === undefined && !this.#place.known) throw this.#first;
    this.#index = next ?? this.#from(0) ?? 0;
    this.#failures = this.#place.known ? 0 : this.#endurance.retries;
    const isNew = blocked && next !== undefined;
    return this.#assertPatient(isNew ? 0 : this.#endurance.retryDelay * 4);
  }

  #from(start: number): number | undefined {
    const found = this.#transports.findIndex((each, index) => index >= start && each.can(this.#place));
    return found < 0 ? undefined : found;
  }

  #assertPatient(wait: number): number {
    if (performance.now() + wait <= this.#givenUp) return wait;
    throw this.#first ?? new StalledError(this.#endurance.patience);
  }
}

/** What will not change by asking again, or by asking another way. */
function isFinal(error: CartritaApiError): boolean {
  if (error instanceof NotCartritaError || error instanceof UnusableAddressError) return true;
  return error.told && !error.retryable;
}

/** Whether the way itself does not let through what is sent on it: a proxy buffers, or refuses. */
function isBlocked(error: CartritaApiError, place: Place): boolean {
  if (error instanceof StalledError) return !place.heard;
  return error.status > 0 && !error.told && !error.retryable;
}
