/** Plays samples of 16 bits as they come, each piece where the last one ended. */

/** Seconds before the first piece is heard, so that the second one is there in time. */
const HEADSTART_S = 0.05;

export class Speaker {
  readonly #onChange: (playing: boolean) => void;
  readonly #playing = new Set<AudioBufferSourceNode>();
  #context: AudioContext | undefined;
  #end = 0;

  constructor(onChange: (playing: boolean) => void) {
    this.#onChange = onChange;
  }

  /** The device is opened at the rate of the speech: pieces that are resampled one by one would click. */
  begin(sampleRate: number): void {
    if (this.#context?.sampleRate === sampleRate) return;
    this.close();
    this.#context = new AudioContext({ sampleRate });
  }

  play(audio: ArrayBuffer): void {
    const context = this.#context;
    if (!context || audio.byteLength < 2) return;
    const samples = new Int16Array(audio, 0, audio.byteLength >> 1);
    const buffer = context.createBuffer(1, samples.length, context.sampleRate);
    buffer.getChannelData(0).set(Float32Array.from(samples, (each) => each / 32_768));
    const source = new AudioBufferSourceNode(context, { buffer });
    const first = Math.ceil((context.currentTime + HEADSTART_S) * context.sampleRate);
    const at = this.#end > context.currentTime * context.sampleRate ? this.#end : first;
    this.#end = at + samples.length;
    source.onended = () => this.#ended(source);
    source.connect(context.destination);
    source.start(at / context.sampleRate);
    this.#playing.add(source);
    this.#onChange(true);
  }

  /** Silence, at once. */
  stop(): void {
    for (const each of this.#playing) each.disconnect();
    this.#playing.clear();
    this.#end = 0;
    this.#onChange(false);
  }

  close(): void {
    this.stop();
    void this.#context?.close();
    this.#context = undefined;
  }

  #ended(source: AudioBufferSourceNode): void {
    if (this.#playing.delete(source) && this.#playing.size === 0) this.#onChange(false);
  }
}
