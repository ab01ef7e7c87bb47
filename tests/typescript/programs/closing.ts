/** Closes sessions at each moment around the opening of their connection. */

import type { CartritaApiClient, LiveState } from '@cartrita/client';
import { clientOf, given, tell } from './program.js';

/** A WebSocket that opens when it is told to, and sends nothing anywhere. */
class Door {
  static last: Door | undefined;
  readyState = 0;
  onopen = (): void => undefined;

  constructor() {
    Door.last = this;
  }

  open(): void {
    this.readyState = 1;
    this.onopen();
  }

  send(): void {
    // Nobody hears it.
  }

  close(): void {
    this.readyState = 3;
  }
}

const { moments, what } = given<{ moments: number; what: 'openLiveSession' | 'openVoice' }>();
const type = Door as unknown as new (url: string) => WebSocket;
const client: CartritaApiClient = clientOf('http://127.0.0.1:9', 'ck_key', { WebSocket: type });
const later = () => new Promise((resolve) => setTimeout(resolve, 0));
for (let moment = 0; moment < moments; moment += 1) {
  const states: LiveState[] = [];
  const session = client[what]({ onState: (state) => states.push(state) });
  await later();
  const door = Door.last;
  door?.open();
  for (let step = 0; step < moment; step += 1) await undefined;
  session.close();
  await later();
  tell({ closed: door?.readyState === 3, states });
}
