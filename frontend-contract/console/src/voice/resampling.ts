/** Sound at another rate: a low-pass filter first, so that nothing folds back into what is heard. */

/** Zero crossings of the filter on each side, and its values between two samples. */
const CROSSINGS = 16;
const STEPS = 256;
/** Of the lower of both rates' halves, so much is kept. */
const KEPT = 0.9;

export class Resampling {
  readonly #step: number;
  /** Half of the filter, from its middle on, and how many samples it is long. */
  readonly #filter: Float32Array;
  readonly #reach: number;
  #kept: Float32Array;
  /** Where the next sample is to be, among those that are kept. */
  #at: number;

  constructor(from: number, to: number) {
    this.#step = from / to;
    const cutoff = Math.min(1, to / from) * KEPT;
    this.#reach = Math.ceil(CROSSINGS / cutoff);
    this.#filter = Float32Array.from({ length: this.#reach * STEPS + 1 }, (_, index) => tap(index / STEPS, cutoff, this.#reach));
    this.#kept = new Float32Array(this.#reach);
    this.#at = this.#reach;
  }

  /** What comes after these samples, too, is needed for their end: it comes with the next. */
  take(samples: Float32Array): Float32Array {
    const all = new Float32Array(this.#kept.length + samples.length);
    all.set(this.#kept);
    all.set(samples, this.#kept.length);
    const made: number[] = [];
    for (; this.#at + this.#reach < all.length; this.#at += this.#step) made.push(this.#sampleAt(all, this.#at));
    const passed = Math.max(0, Math.floor(this.#at) - this.#reach);
    this.#kept = all.slice(passed);
    this.#at -= passed;
    return Float32Array.from(made);
  }

  #sampleAt(samples: Float32Array, at: number): number {
    let sum = 0;
    for (let index = Math.ceil(at - this.#reach); index <= at + this.#reach; index += 1) {
      sum += (samples[index] ?? 0) * (this.#filter[Math.round(Math.abs(at - index) * STEPS)] ?? 0);
    }
    return sum;
  }
}

/** A sinc in a window of Hann. */
function tap(distance: number, cutoff: number, reach: number): number {
  const x = Math.PI * distance * cutoff;
  const sinc = x === 0 ? 1 : Math.sin(x) / x;
  return cutoff * sinc * Math.cos((Math.PI * distance) / (2 * reach)) ** 2;
}
