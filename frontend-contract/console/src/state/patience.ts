/** What is asked again and again, and may fail now and then: a person is told when that lasts. */

import { signal } from '@preact/signals';

/** So often in a row it may fail before it is told. */
const ENDURED = 2;

export class Patience {
  readonly problem = signal('');
  #failures = 0;

  succeeded(): void {
    this.#failures = 0;
    this.problem.value = '';
  }

  /** `atOnce` where nothing is there to be looked at meanwhile, or somebody has to do something about it. */
  failed(sentence: string, atOnce: boolean): void {
    this.#failures += 1;
    if (atOnce || this.#failures > ENDURED) this.problem.value = sentence;
  }
}
