/** What changed, told to the other parts of this page and to its other tabs. */

interface Change {
  readonly conversationId: string | null;
}

export class News {
  onHere: () => void = () => undefined;
  onElsewhere: (conversationId: string | null) => void = () => undefined;
  readonly #channel = new BroadcastChannel('cartrita-console');

  constructor() {
    this.#channel.onmessage = ({ data }: MessageEvent<Change>) => this.onElsewhere(data.conversationId);
  }

  tell(conversationId: string | null): void {
    this.#channel.postMessage({ conversationId } satisfies Change);
    this.onHere();
  }
}
