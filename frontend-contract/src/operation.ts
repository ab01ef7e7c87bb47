/** What the client knows of one operation of the server: how it is asked, and what it answers. */

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What comes back: JSON, nothing, bytes as they are, or events. */
export type AnswerKind = 'json' | 'nothing' | 'content' | 'events';

/** Whether the same may be sent again: without harm, with one `Idempotency-Key`, or not. */
export type Repetition = 'safe' | 'with_key' | 'unsafe';

/** Whose key an operation takes: a provider's by name, or that which the field names. */
export interface ProviderRule {
  readonly name: string | undefined;
  /** The field of the request that may name another one. */
  readonly field: string | undefined;
}

export interface Operation {
  readonly id: string;
  readonly method: Method;
  /** From the server's root on, with `{names}` for what goes into it. */
  readonly path: string;
  readonly answer: AnswerKind;
  readonly repetition: Repetition;
  /** Whether it may answer that a person has to decide first. */
  readonly waits?: boolean;
  readonly provider?: ProviderRule;
}

/** How one request is to be made, besides what it says. */
export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds for the whole answer; of contents, for their beginning. Uploads have none unless it is
   * given, but are given up when no byte moves; streams never have one.
   */
  readonly timeout?: number | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** How a form with files is to be sent. */
export interface UploadOptions extends RequestOptions {
  /** Told as the bytes leave; `total` is the length of the whole form. */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

export interface UploadProgress {
  readonly sent: number;
  readonly total: number;
}

/** What a call says: `path` fills the names, `query` and `body` are as on the wire. */
export interface Call {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: object | undefined;
  readonly body?: object | undefined;
  readonly form?: FormFields | undefined;
  readonly options?: UploadOptions | undefined;
}

/** A form, field by field; fields without a value are left out. */
export type FormFields = ReadonlyArray<readonly [name: string, value: Blob | string | undefined]>;

/** A request whose answer is streamed. */
export type Streamed<T> = Omit<T, 'stream'> & { readonly stream: true };

/** A request that is answered at once. */
export type Whole<T> = Omit<T, 'stream'> & { readonly stream?: false | undefined };
