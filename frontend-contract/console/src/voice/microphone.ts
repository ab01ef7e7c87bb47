/** The microphone: 16,000 samples of 16 bits a second, without what the speakers say. */

import worklet from './microphone.worklet.ts?worker&url';

/** What the worklet tells: samples, and how loud the loudest of them is, from 0 to 1. */
export interface Sound {
  readonly samples: ArrayBuffer;
  readonly level: number;
}

const WANTED = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };

const PROBLEMS: Readonly<Record<string, string>> = {
  NotAllowedError: 'The browser does not let this page use the microphone. Allow it beside the address, then try again.',
  NotFoundError: 'No microphone was found. Plug one in, then try again.',
  NotReadableError: 'The microphone gives no sound: another program may use it.',
};

export class Microphone {
  readonly #stream: MediaStream;
  readonly #context: AudioContext;

  private constructor(stream: MediaStream, context: AudioContext) {
    this.#stream = stream;
    this.#context = context;
  }

  /** Asks for it, and listens until it is closed. Fails with a sentence that says why. */
  static async open(onSound: (sound: Sound) => void): Promise<Microphone> {
    const { mediaDevices } = navigator as { mediaDevices?: MediaDevices };
    if (!mediaDevices) throw new Error('Browsers give a microphone only to pages on https or on this machine.');
    const stream = await mediaDevices.getUserMedia({ audio: WANTED }).catch((error: unknown) => {
      throw new Error(PROBLEMS[(error as DOMException).name] ?? `The microphone cannot be used: ${String(error)}`);
    });
    try {
      return await Microphone.#listening(stream, onSound);
    } catch (error) {
      stop(stream);
      throw error;
    }
  }

  static async #listening(stream: MediaStream, onSound: (sound: Sound) => void): Promise<Microphone> {
    const microphone = new Microphone(stream, new AudioContext());
    try {
      await microphone.#listen(onSound);
    } catch (error) {
      microphone.close();
      throw error;
    }
    return microphone;
  }

  close(): void {
    stop(this.#stream);
    void this.#context.close();
  }

  async #listen(onSound: (sound: Sound) => void): Promise<void> {
    await this.#context.audioWorklet.addModule(worklet);
    const recorder = new AudioWorkletNode(this.#context, 'recorder', { numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit' });
    recorder.port.onmessage = ({ data }: MessageEvent<Sound>) => onSound(data);
    this.#context.createMediaStreamSource(this.#stream).connect(recorder);
    await this.#context.resume();
  }
}

/** Without this the browser would go on showing that somebody listens. */
function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
