/** A run's events without any stream: asked for in whole answers, for networks that let nothing else through. */

import { CartritaApiError } from '../errors.js';
import type { SentKey } from '../keys.js';
import type { ApprovalView, RunView } from '../generated/types.js';
import type { Call, Operation } from '../operation.js';
import type { ChatStreamEvent, Place } from '../place.js';
import { assertOurs } from '../refusals.js';
import { parsed, type Requester } from '../requests.js';
import type { Transport } from '../resumption.js';
import { SseParser } from '../sse.js';
import { pause, within } from '../waiting.js';
import { eventOf } from './sse.js';

export interface PollingCalls {
  /** Begins the run by asking for its whole answer. */
  readonly begin: { readonly operation: Operation; readonly call: Call } | undefined;
  readonly run: Operation;
  readonly events: Operation;
  readonly key: SentKey | undefined;
  readonly call: Call;
}

/** Milliseconds: between two questions, for the answer to one, and for that which begins a run. */
export interface PollingLimits {
  readonly pollInterval: number;
  readonly stall: number;
  readonly patience: number;
}

/** What an answer that was asked for whole tells of its run. */
interface Begun {
  readonly run_id: string;
  readonly approvals?: readonly ApprovalView[];
}

const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'interrupted']);

export class Polling implements Transport {
  readonly name = 'polling';
  readonly #requester: Requester;
  readonly #calls: PollingCalls;
  readonly #limits: PollingLimits;

  constructor(requester: Requester, calls: PollingCalls, limits: PollingLimits) {
    this.#requester = requester;
    this.#calls = calls;
    this.#limits = limits;
  }

  can(place: Place): boolean {
    return place.known || this.#calls.begin !== undefined;
  }

  async *open(place: Place, signal: AbortSignal): AsyncGenerator<ChatStreamEvent> {
    if (!place.known) yield* this.#begun(place, signal);
    for (let run = await this.#run(place, signal); !ENDED.has(run.status); run = await this.#run(place, signal)) {
      yield* asked(place, run.approvals);
      await pause(this.#limits.pollInterval, signal);
    }
    yield* this.#rest(place, signal);
  }

  async *#begun(place: Place, signal: AbortSignal): AsyncGenerator<ChatStreamEvent> {
    const { begin, key } = this.#calls;
    if (!begin) return;
    const begun = await within(this.#limits.patience, signal, (bounded) =>
      this.#requester.once(begin.operation, begin.call, bounded, key).then(begunIn, failedRun),
    );
    place.move(begun.run_id, 0);
    yield* asked(place, begun.approvals ?? []);
  }

  async #run(place: Place, signal: AbortSignal): Promise<RunView> {
    const { run, key, call } = this.#calls;
    const path = { run_id: place.runId ?? '' };
    const asked = { path, options: call.options };
    const found = await within(this.#limits.stall, signal, async (bounded) => {
      const answer = await this.#requester.once(run, asked, bounded, key);
      assertOurs(answer, 'json');
      return parsed<RunView>(answer);
    });
    place.hear();
    return found;
  }

  /** All that follows, once nothing more will: an answer that ends, whoever holds it back. */
  async *#rest(place: Place, signal: AbortSignal): AsyncGenerator<ChatStreamEvent> {
    const { events, key, call } = this.#calls;
    const path = { run_id: place.runId ?? '' };
    const query = { after: place.seq };
    const asked = { path, query, options: call.options };
    const [answer, text] = await within(this.#limits.stall, signal, async (bounded) => {
      const found = await this.#requester.once(events, asked, bounded, key);
      return [found, await found.text()] as const;
    });
    if (answer.status === 204) place.atEnd = true;
    for (const block of new SseParser().feed(text)) {
      const event = eventOf(block, place, answer);
      if (event) yield event;
    }
  }
}

async function begunIn(answer: Response): Promise<Begun> {
  assertOurs(answer, 'json');
  return parsed<Begun>(answer);
}

/** A run that failed is an error where its answer was asked for whole, which names it: its events tell why. */
function failedRun(error: unknown): Begun {
  const runId = error instanceof CartritaApiError ? error.details['run_id'] : undefined;
  if (typeof runId !== 'string') throw error;
  return { run_id: runId };
}

/** What a person is to decide, as the event that tells it. */
function* asked(place: Place, approvals: readonly ApprovalView[]): Generator<ChatStreamEvent> {
  for (const { screenshot_url: shown, ...approval } of approvals) {
    // An event has a picture, or does not name it.
    const data = shown ? { ...approval, screenshot_url: shown } : approval;
    const event = place.take({ event: 'approval_required', data }, undefined);
    if (event) yield event;
  }
}
