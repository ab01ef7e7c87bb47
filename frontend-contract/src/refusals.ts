/** Turns what the server or something before it says into the one error that it means. */

import { CartritaApiError, NotCartritaError, UnreachableError, type ErrorFacts } from './errors.js';
import { ERROR_KINDS, type ErrorKind } from './generated/errors.js';
import type { AnswerKind } from './operation.js';
import { retryAfterOf } from './waiting.js';

/** Statuses that mean the same whoever answers with them, by the kind of error that they are. */
const PLAIN_STATUSES: Readonly<Record<number, string>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  413: 'too_large',
  429: 'rate_limited',
};
/** What a proxy says of a server that is not there. */
const AWAY: ReadonlySet<number> = new Set([502, 503, 504]);

/** An error as the server writes it: in an answer, in an event, or in a frame. */
export interface WrittenError {
  readonly error: string;
  readonly code: string;
  readonly details?: Readonly<Record<string, unknown>> | null | undefined;
  readonly errors?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly retry_after?: number | null | undefined;
  readonly request_id?: string | null | undefined;
}

/** The error of an answer whose status is 400 or more. */
export async function errorOfAnswer(answer: Response): Promise<CartritaApiError> {
  const text = await answer.text().catch(() => '');
  const written = writtenIn(text);
  return written ? errorOf(written, answer.status, retryAfterOf(answer.headers)) : foreignError(answer);
}

/** What the server says of a run, a frame or a request, as the class of its kind. */
export function errorOf(written: WrittenError, status = 0, retryAfter?: number): CartritaApiError {
  return made(kindOf(written.code, status), written.error, {
    code: written.code,
    status,
    retryAfter: retryAfter ?? written.retry_after ?? undefined,
    details: written.details ?? {},
    errors: written.errors ?? {},
    requestId: written.request_id ?? undefined,
    told: true,
  });
}

/** Fails if the answer sends elsewhere, where neither keys nor bodies are to go. */
export function assertHere(url: string, answer: Response): void {
  const { status, type, redirected } = answer;
  const isElsewhere = type === 'opaqueredirect' || redirected || (status >= 300 && status < 400);
  if (isElsewhere) throw new NotCartritaError(new URL(url).origin, status, 'a way elsewhere');
}

/** Fails unless a good answer is what this server would answer with. */
export function assertOurs(answer: Response, kind: AnswerKind): void {
  const mediaType = answer.headers.get('content-type') ?? '';
  if (!EXPECTED[kind].test(mediaType)) throw new NotCartritaError(answer.url, answer.status, mediaType);
}

/** What the media type of each kind of answer looks like: files may be anything but a web page. */
const EXPECTED: Readonly<Record<AnswerKind, RegExp>> = {
  json: /\bjson\b/i,
  events: /\bevent-stream\b/i,
  content: /^(?!.*\bhtml\b)/i,
  nothing: /^(?!.*\bhtml\b)/i,
};

/** A proxy's page: the status alone says what it is, where it says anything. */
function foreignError(answer: Response): CartritaApiError {
  const { status } = answer;
  const retryAfter = retryAfterOf(answer.headers);
  const message = `The server, or something on the way to it, answered ${status}.`;
  if (AWAY.has(status)) return new UnreachableError(message, { status, retryAfter });
  const kind = kindNamed(PLAIN_STATUSES[status] ?? '');
  if (kind) return made(kind, message, { code: kind.kind, status, retryAfter });
  return new NotCartritaError(answer.url, status, answer.headers.get('content-type') ?? '');
}

function made(
  kind: ErrorKind | undefined,
  message: string,
  facts: Omit<ErrorFacts, 'kind' | 'retryable'>,
): CartritaApiError {
  if (!kind) return new CartritaApiError(message, { ...facts, kind: facts.code });
  const retryable = kind.retryable && !kind.lasting.includes(facts.code);
  return new kind.type(message, { ...facts, kind: kind.kind, retryable });
}

/** By its code; a code of several kinds, or one that a newer server invented, by its status. */
function kindOf(code: string, status: number): ErrorKind | undefined {
  const known = ERROR_KINDS.filter((each) => each.codes.includes(code));
  const fitting = (known.length ? known : ERROR_KINDS).find((each) => each.statuses.includes(status));
  return fitting ?? known[0] ?? kindNamed(status >= 500 ? 'internal' : 'malformed');
}

function kindNamed(name: string): ErrorKind | undefined {
  return ERROR_KINDS.find((each) => each.kind === name);
}

function writtenIn(text: string): WrittenError | undefined {
  const written = objectIn(text) as Partial<WrittenError> | undefined;
  const isOurs = typeof written?.code === 'string' && typeof written.error === 'string';
  return isOurs ? (written as WrittenError) : undefined;
}

/** The object that a text is in JSON, if it is one. */
export function objectIn(text: string): object | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null ? found : undefined;
  } catch {
    return undefined;
  }
}
