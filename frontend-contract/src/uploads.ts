/** Sends forms with files, and tells how far they are. */

import { NotCartritaError, UnreadableFileError } from './errors.js';
import { randomId } from './ids.js';
import type { FormFields, UploadProgress } from './operation.js';

export type OnProgress = (progress: UploadProgress) => void;
type StreamedInit = RequestInit & { duplex: 'half' };

/**
 * Sends a form. Where its progress is wanted, a browser sends it by XMLHttpRequest, which alone
 * tells of it there; elsewhere the body is a stream that is counted as it is read. XMLHttpRequest
 * would carry a key wherever it is sent, so with a key only the end is told in a page.
 */
export async function sendForm(
  url: string,
  init: RequestInit,
  fields: FormFields,
  send: typeof fetch,
  onProgress: OnProgress | undefined,
): Promise<Response> {
  await assertReadable(fields);
  if (!onProgress) return send(url, { ...init, body: formData(fields) });
  const isPage = typeof XMLHttpRequest === 'function';
  if (isPage && new Headers(init.headers).has('X-API-Key')) return sentAtOnce(url, init, fields, send, onProgress);
  if (isPage) return sentByPage(url, init, formData(fields), onProgress);
  return sentAsStream(url, init, fields, send, onProgress);
}

/** A file that is gone or not ours to read is told here, where it is known which one it is. */
async function assertReadable(fields: FormFields): Promise<void> {
  for (const [, value] of fields) {
    if (typeof value !== 'object') continue;
    try {
      await value.slice(0, 1).arrayBuffer();
    } catch (error) {
      throw new UnreadableFileError(nameOf(value), error);
    }
  }
}

function formData(fields: FormFields): FormData {
  const form = new FormData();
  for (const [name, value] of fields) {
    if (typeof value === 'string') form.append(name, value);
    else if (value) form.append(name, value, nameOf(value));
  }
  return form;
}

function nameOf(file: Blob): string {
  return 'name' in file && typeof file.name === 'string' && file.name ? file.name : 'file';
}

async function sentAtOnce(
  url: string,
  init: RequestInit,
  fields: FormFields,
  send: typeof fetch,
  onProgress: OnProgress,
): Promise<Response> {
  const total = sizeOf(fields);
  const answer = await send(url, { ...init, body: formData(fields) });
  onProgress({ sent: total, total });
  return answer;
}

/** How many bytes the values of a form have. */
export function sizeOf(fields: FormFields): number {
  return fields.reduce((sum, [, value]) => sum + (typeof value === 'object' ? value.size : (value?.length ?? 0)), 0);
}

async function sentAsStream(
  url: string,
  init: RequestInit,
  fields: FormFields,
  send: typeof fetch,
  onProgress: OnProgress,
): Promise<Response> {
  const form = new StreamedForm(fields, onProgress);
  const headers = new Headers(init.headers);
  headers.set('Content-Type', form.mediaType);
  const streamed: StreamedInit = { ...init, headers, body: form.body(), duplex: 'half' };
  try {
    return await send(url, streamed);
  } catch (error) {
    throw form.failure ?? error;
  }
}

/** A form whose bytes are read as they are sent. */
class StreamedForm {
  readonly #boundary = `cartrita-${randomId()}`;
  readonly #parts: readonly (readonly [head: Uint8Array, file: Blob])[];
  readonly #end: Uint8Array;
  readonly #total: number;
  readonly #onProgress: OnProgress;
  #sent = 0;
  /** The file that could not be read to its end. */
  failure: UnreadableFileError | undefined;

  constructor(fields: FormFields, onProgress: OnProgress) {
    const encoder = new TextEncoder();
    this.#onProgress = onProgress;
    this.#parts = fields.flatMap(([name, value]) =>
      value === undefined ? [] : [[encoder.encode(this.#head(name, value)), blobOf(value)] as const],
    );
    this.#end = encoder.encode(`\r\n--${this.#boundary}--\r\n`);
    const lengths = this.#parts.map(([head, file]) => head.length + file.size);
    this.#total = lengths.reduce((sum, each) => sum + each, this.#end.length);
  }

  get mediaType(): string {
    return `multipart/form-data; boundary=${this.#boundary}`;
  }

  body(): ReadableStream<Uint8Array> {
    const pieces = this.#pieces();
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const { value, done } = await pieces.next();
        if (done) return controller.close();
        controller.enqueue(value);
        this.#sent += value.length;
        this.#onProgress({ sent: this.#sent, total: this.#total });
      },
      cancel: async () => {
        await pieces.return(undefined);
      },
    });
  }

  async *#pieces(): AsyncGenerator<Uint8Array, undefined> {
    for (const [head, file] of this.#parts) {
      yield head;
      yield* this.#read(file);
    }
    yield this.#end;
    return undefined;
  }

  async *#read(file: Blob): AsyncGenerator<Uint8Array> {
    const reader = file.stream().getReader();
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    } catch (error) {
      this.failure = new UnreadableFileError(nameOf(file), error);
      throw this.failure;
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  #head(name: string, value: Blob | string): string {
    const lines = [`\r\n--${this.#boundary}`, `Content-Disposition: form-data; name="${escaped(name)}"`];
    if (typeof value !== 'string') {
      lines[1] += `; filename="${escaped(nameOf(value))}"`;
      lines.push(`Content-Type: ${value.type || 'application/octet-stream'}`);
    }
    return `${lines.join('\r\n')}\r\n\r\n`;
  }
}

function blobOf(value: Blob | string): Blob {
  return typeof value === 'string' ? new Blob([value]) : value;
}

/** Names in a form are written as browsers write them. */
function escaped(name: string): string {
  return name.replace(/\r/g, '%0D').replace(/\n/g, '%0A').replace(/"/g, '%22');
}

function sentByPage(url: string, init: RequestInit, form: FormData, onProgress: OnProgress): Promise<Response> {
  const request = new XMLHttpRequest();
  const signal = init.signal ?? undefined;
  const abort = () => request.abort();
  return new Promise<Response>((resolve, reject) => {
    request.open(init.method ?? 'POST', url);
    request.responseType = 'text';
    request.withCredentials = init.credentials === 'include';
    new Headers(init.headers).forEach((value, name) => request.setRequestHeader(name, value));
    request.upload.onprogress = ({ loaded, total }) => onProgress({ sent: loaded, total });
    request.onload = () => (isElsewhere(url, request) ? reject(elsewhere(url)) : resolve(answerOf(request)));
    request.onerror = () => reject(new TypeError('The connection broke.'));
    request.onabort = () => reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) reject(signal.reason);
    else request.send(form);
  }).finally(() => signal?.removeEventListener('abort', abort));
}

/** Whether it was sent on, which nothing can forbid an XMLHttpRequest. */
function isElsewhere(url: string, request: XMLHttpRequest): boolean {
  return request.responseURL !== '' && request.responseURL !== url;
}

function elsewhere(url: string): NotCartritaError {
  return new NotCartritaError(new URL(url).origin, 0, 'a way elsewhere');
}

function answerOf(request: XMLHttpRequest): Response {
  const headers = new Headers();
  for (const line of request.getAllResponseHeaders().trim().split(/[\r\n]+/)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const bodiless = [204, 205, 304].includes(request.status);
  const { status, statusText } = request;
  return new Response(bodiless ? null : request.responseText, { status, statusText, headers });
}
