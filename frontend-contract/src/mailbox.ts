/** What came for one reader, kept until it is read. */

export class Mailbox<T> {
  readonly #waiting: T[] = [];
  #ended = false;
  #failure: unknown;
  #wake: () => void = () => undefined;

  get ended(): boolean {
    return this.#ended;
  }

  put(item: T): void {
    if (this.#ended) return;
    this.#waiting.push(item);
    this.#wake();
  }

  /** Nothing more comes; what the reader is told where that is a failure. */
  end(failure?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#wake();
  }

  /** All that came and comes; told when it is left, whoever leaves it. */
  async *read(left: () => void = () => undefined): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        if (this.#waiting.length > 0) yield this.#waiting.shift() as T;
        else if (this.#ended) break;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      if (this.#failure !== undefined) throw this.#failure;
    } finally {
      left();
    }
  }
}
