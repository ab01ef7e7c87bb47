/** Runs beside the page: makes of what the microphone hears what the server listens to, and tells how loud it is. */

import { Resampling } from './resampling';

declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, type: new () => AudioWorkletProcessor): void;

/** Of what is sent at once: 40 ms. */
const SAMPLES = 640;
const RATE = 16_000;

class Recorder extends AudioWorkletProcessor {
  readonly #resampling = new Resampling(sampleRate, RATE);
  #samples = new Int16Array(SAMPLES);
  #filled = 0;
  #loudest = 0;

  process([input]: Float32Array[][]): boolean {
    const heard = input?.[0];
    if (!heard) return true;
    for (const each of this.#resampling.take(heard)) {
      const clipped = Math.max(-1, Math.min(1, each));
      this.#loudest = Math.max(this.#loudest, Math.abs(clipped));
      this.#samples[this.#filled] = Math.round(clipped * 32_767);
      this.#filled += 1;
      if (this.#filled === SAMPLES) this.#tell();
    }
    return true;
  }

  #tell(): void {
    const { buffer } = this.#samples;
    this.port.postMessage({ samples: buffer, level: this.#loudest }, [buffer]);
    this.#samples = new Int16Array(SAMPLES);
    this.#filled = this.#loudest = 0;
  }
}

registerProcessor('recorder', Recorder);
