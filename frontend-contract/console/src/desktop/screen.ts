/** The screen of a desktop on this page, by noVNC: a chunk of its own, which is loaded with the first one. */

import RFB from '@novnc/novnc';

/** What is told of a screen. */
export interface ScreenListener {
  shown(): void;
  /** With the code of the close frame, and what the server has said before it, if it did. */
  lost(code: number, reason: string): void;
  /** Milliseconds from a question for a pixel to its answer, which went all the way to the X server. */
  latency(milliseconds: number): void;
}

const SET_ENCODINGS = 2;
/**
 * How pictures may come: raw, copied, RRE, hextile, zlib and ZRLE, and in a size that changes. Those that are made
 * of images would need `data:` in the page's policy, and without one for the pointer the pointer is in the picture.
 */
const ENCODINGS = new Set([0, 1, 2, 5, 6, 16, -223, -224]);
/** Asks for one pixel, whether or not it has changed. */
const QUESTION = new Uint8Array([3, 0, 0, 0, 0, 0, 0, 1, 0, 1]);
const QUESTION_MS = 2_000;
/** As X names them: keys that may be down when somebody leaves the screen. */
const MODIFIERS = [
  [0xffe1, 'ShiftLeft'],
  [0xffe3, 'ControlLeft'],
  [0xffe9, 'AltLeft'],
] as const;

export class Screen {
  readonly #rfb: RFB;
  readonly #timer: number;
  #asked: number | undefined;
  /** What is seen, from the first time on; it stays as it is when the connection has ended. */
  picture: HTMLCanvasElement | undefined;

  constructor(place: HTMLElement, address: string, listener: ScreenListener) {
    const socket = new WebSocket(address);
    const send = socket.send.bind(socket);
    socket.send = (data) => send(withKnownEncodings(data as Uint8Array<ArrayBuffer>));
    let reason = '';
    socket.addEventListener('message', (message: MessageEvent<string | ArrayBuffer>) => {
      if (typeof message.data === 'string') {
        reason = sentenceOfFrame(message.data);
        message.stopImmediatePropagation(); // it is no RFB
        return;
      }
      if (this.#asked === undefined) return;
      listener.latency(performance.now() - this.#asked);
      this.#asked = undefined;
    });
    let code = 0;
    socket.addEventListener('close', (closed) => (code = closed.code)); // before noVNC hears of it
    this.#rfb = new RFB(place, socket, { shared: true });
    this.#rfb.scaleViewport = true;
    this.#rfb.viewOnly = true;
    this.#rfb.background = 'transparent';
    let isShown = false;
    this.#rfb.addEventListener('connect', () => {
      isShown = true;
      this.picture = place.querySelector<HTMLCanvasElement>('canvas:not(.still)') ?? undefined;
      listener.shown();
    });
    this.#rfb.addEventListener('disconnect', () => {
      clearInterval(this.#timer);
      listener.lost(code, reason);
    });
    this.#timer = window.setInterval(() => {
      if (!isShown || this.#asked !== undefined || socket.readyState !== WebSocket.OPEN) return;
      this.#asked = performance.now();
      send(QUESTION);
    }, QUESTION_MS);
  }

  /** Whether input is sent: the server passes on that of who has the control, and no other. */
  set viewOnly(viewOnly: boolean) {
    if (this.#rfb.viewOnly === viewOnly) return;
    if (viewOnly) this.releaseKeys();
    this.#rfb.viewOnly = viewOnly;
  }

  focus(): void {
    this.#rfb.focus({ preventScroll: true });
  }

  /** Lets go of keys whose end another element of the page hears. */
  releaseKeys(): void {
    for (const [keysym, code] of MODIFIERS) this.#rfb.sendKey(keysym, code, false);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#rfb.disconnect();
  }
}

/** What the last frame before a close frame says to a person. */
function sentenceOfFrame(frame: string): string {
  const { error } = JSON.parse(frame) as { error?: string };
  return error ?? '';
}

/** A message as noVNC sends it, one at a time; of encodings only those that are wanted here. */
function withKnownEncodings(message: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (message[0] !== SET_ENCODINGS) return message;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const told = Array.from({ length: view.getUint16(2) }, (_, index) => view.getInt32(4 + 4 * index));
  const known = told.filter((each) => ENCODINGS.has(each));
  const narrowed = new DataView(new ArrayBuffer(4 + 4 * known.length));
  narrowed.setUint8(0, SET_ENCODINGS);
  narrowed.setUint16(2, known.length);
  known.forEach((each, index) => narrowed.setInt32(4 + 4 * index, each));
  return new Uint8Array(narrowed.buffer);
}
