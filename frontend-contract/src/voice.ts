/** A live conversation over one WebSocket that comes back by itself: sound goes in, words and sound come out. */

import { Commands, type Command } from './commands.js';
import { CartritaApiError, UnreachableError } from './errors.js';
import type { DecisionRequest, SpeechStartFrame, StartFrame, VoiceServerFrame } from './generated/types.js';
import { Mailbox } from './mailbox.js';
import { isTerminal, Place, type ChatStreamEvent } from './place.js';
import { Reconnection, type LiveOptions, type LiveSettings, type LiveState } from './reconnection.js';
import { errorOf, type WrittenError } from './refusals.js';
import { isRefusal, type SocketConnection, type SocketFrame } from './socket.js';
import { eventOf } from './transports/websocket.js';

/** How to listen, to answer and to speak: the fields of the frame `start`; `sample_rate` is 16,000 without one. */
export interface VoiceOptions extends LiveOptions, Partial<Omit<StartFrame, 'type' | 'encoding'>> {}

type Told = Extract<VoiceServerFrame, { readonly type: string }>;

/** What happens in a conversation: frames of the server by their `type`, and besides them these. */
export type VoiceEvent =
  | Exclude<Told, { readonly type: 'pong' | 'drain' }>
  /** Sound of the sentence that the last `speech_start` named. */
  | { readonly type: 'speech'; readonly run_id: string; readonly sentence: number; readonly audio: ArrayBuffer }
  /** An event of the run that answers. */
  | { readonly type: 'run_event'; readonly run_id: string; readonly told: ChatStreamEvent }
  /** The server could not do something: of that run, if one is named. */
  | { readonly type: 'refused'; readonly error: CartritaApiError; readonly run_id: string | undefined };

/** No frame has more bytes than this, which are whole samples. */
const LARGEST_FRAME = 32 * 1024;
/** So many bytes are kept until the first connection is open: some seconds. */
const LONGEST_BEGINNING = 1024 * 1024;

/**
 * Iterate it for what happens, once. After a cut it comes back and listens anew, which another `listening`
 * tells: what was said meanwhile is lost, and is not sent again. Answers go on where they were; a sentence
 * that the cut broke off is spoken again from its beginning. Commands are said again until they are taken.
 * After `stop` it ends with the last of what was said. Where the server does not listen, or listens no more, it
 * fails with the reason, once what was said before is answered.
 */
export class VoiceSession implements AsyncIterable<VoiceEvent> {
  readonly #settings: LiveSettings;
  readonly #told = new Mailbox<VoiceEvent>();
  readonly #runs = new Map<string, SpokenRun>();
  readonly #commands: Commands;
  readonly #reconnection: Reconnection;
  #start: StartFrame;
  #stopped = false;
  #allHeard = false;
  /** The last error that is of no run: of one that ends the listening, `stopped` follows. */
  #lastError: CartritaApiError | undefined;
  /** Why the server listens no more, though nobody asked for that. */
  #deaf: CartritaApiError | undefined;
  #sentence: SpeechStartFrame | undefined;
  /** What was said before the first connection was open. */
  #beginning: BufferSource[] | undefined = [];

  constructor(settings: LiveSettings, { onState: _, ...start }: VoiceOptions) {
    this.#settings = settings;
    this.#start = { sample_rate: 16_000, ...start, type: 'start', encoding: 'linear16' };
    this.#reconnection = new Reconnection(settings, {
      opened: (connection) => this.#opened(connection),
      lost: () => this.#lost(),
      take: (frame) => this.#take(frame),
      ended: (error) => this.#ended(error),
    });
    this.#commands = new Commands(this.#reconnection.signal);
  }

  get state(): LiveState {
    return this.#reconnection.state;
  }

  [Symbol.asyncIterator](): AsyncGenerator<VoiceEvent> {
    return this.#told.read();
  }

  /** More of what is said: samples of 16 bits. While the connection is cut, they are lost. */
  sendAudio(samples: Int16Array<ArrayBuffer> | ArrayBuffer): void {
    if (this.#deaf) return;
    for (const each of pieces(samples)) {
      if (this.#beginning) keep(this.#beginning, each);
      else this.#reconnection.connection?.sendAudio(each);
    }
  }

  /** What was said is complete: it is answered without waiting for a pause. */
  endTurn(): void {
    this.#say({ type: 'end_turn' });
  }

  /** Answers are spoken no more that are spoken now, or wait to be. */
  stopSpeaking(): void {
    this.#say({ type: 'stop_speaking' });
  }

  /** No more is said; what was said is answered still. */
  stop(): void {
    this.#stopped = true;
    if (this.state === 'open') this.#say({ type: 'stop' }, false);
  }

  /** Stops a run, whose last event tells it; said again until the server has it. */
  cancel(runId: string): void {
    this.#commands.cancel(runId, (error) => this.#refused(error, runId));
  }

  /** Decides on what a run waits for: done when the server has taken it, or tells why it does not. */
  async approve(runId: string, approvalId: string, decision: DecisionRequest): Promise<void> {
    if (this.state === 'closed') throw new UnreachableError('The live session is closed.');
    return this.#commands.approve(runId, approvalId, decision);
  }

  /** Leaves; answers that are not at their end go on without this client. */
  close(): void {
    this.#reconnection.close();
  }

  #say(frame: Command['frame'], lasts = true, refused = (error: unknown) => this.#refused(error)): void {
    this.#commands.say({ frame, lasts, done: () => undefined, refused });
  }

  /** First how to listen; then what was said before; and at last that no more is said. */
  #opened(connection: SocketConnection): void {
    this.#commands.begin(connection, () => {
      this.#say(this.#start, false, (error) => this.#unheard(error));
      for (const [runId, run] of this.#runs) this.#resume(runId, run);
      for (const each of this.#beginning ?? []) connection.sendAudio(each);
      this.#beginning = undefined;
    });
    if (this.#stopped) this.#say({ type: 'stop' }, false);
  }

  #resume(run_id: string, run: SpokenRun): void {
    const frame = { type: 'resume', run_id, after: run.place.seq, from_sentence: run.heard };
    this.#say(frame, false, (error) => {
      this.#runs.delete(run_id);
      this.#refused(error, run_id);
    });
  }

  /** Without a start nothing of this can be. */
  #unheard(error: unknown): void {
    this.#told.end(error);
    this.close();
  }

  #lost(): void {
    this.#sentence = undefined;
    this.#commands.pause();
  }

  #take(frame: SocketFrame): void {
    if ('audio' in frame) this.#takeSound(frame.audio);
    else if (isRefusal(frame)) this.#takeRefusal(frame);
    else if ('event' in frame) this.#takeEvent(frame);
    else if (isTold(frame)) this.#takeFrame(frame);
  }

  #takeSound(audio: ArrayBuffer): void {
    if (!this.#sentence) return;
    const { run_id, sentence } = this.#sentence;
    this.#told.put({ type: 'speech', run_id, sentence, audio });
  }

  #takeRefusal(frame: WrittenError & { readonly run_id?: string | undefined }): void {
    const error = errorOf(frame);
    if (this.#deaf && error.code === 'not_started') return;
    if (frame.run_id === undefined) this.#lastError = error;
    if (this.#commands.refuse(frame, error)) return;
    this.#refused(error, frame.run_id);
  }

  #takeEvent(frame: Extract<VoiceServerFrame, { readonly event: string }>): void {
    const run = this.#runs.get(frame.run_id);
    const told = run && eventOf(frame, run.place);
    if (told) this.#told.put({ type: 'run_event', run_id: frame.run_id, told });
    if (run && (run.place.atEnd || (told && isTerminal(told)))) run.answered = true;
    this.#settle(frame.run_id);
    this.#endIfSettled();
  }

  #takeFrame(frame: Exclude<Told, { readonly type: 'pong' | 'drain' }>): void {
    if (frame.type === 'turn' && frame.run_id !== undefined) this.#begun(frame.run_id, frame.conversation_id);
    if (frame.type === 'speech_start') this.#sentence = frame;
    if (frame.type.startsWith('speech_') && 'run_id' in frame) this.#takeSpeech(frame);
    if (frame.type === 'stopped') this.#takeEnd();
    this.#told.put(frame as VoiceEvent);
    this.#endIfSettled();
  }

  /** All is heard; where nobody asked for an end, an error made it. */
  #takeEnd(): void {
    this.#allHeard = true;
    if (!this.#stopped) this.#deaf = this.#lastError;
    this.#stopped = true;
  }

  #begun(runId: string, conversationId: string | undefined): void {
    this.#start = { ...this.#start, conversation_id: conversationId };
    this.#runs.set(runId, new SpokenRun(runId, this.#start.speak !== false));
  }

  #takeSpeech(frame: { readonly type: string; readonly run_id?: string | undefined; readonly sentence?: number }): void {
    const run = this.#runs.get(frame.run_id ?? '');
    if (!run || frame.type === 'speech_start') return;
    if (frame.type === 'speech_end') run.heard = (frame.sentence ?? 0) + 1;
    else run.spoken = true;
    this.#sentence = undefined;
    this.#settle(frame.run_id ?? '');
  }

  /** Of an answer that is told and spoken nothing more comes. */
  #settle(runId: string): void {
    const run = this.#runs.get(runId);
    if (run?.answered && run.spoken) this.#runs.delete(runId);
  }

  #endIfSettled(): void {
    if (!this.#allHeard || this.#runs.size > 0) return;
    if (this.#deaf) this.#unheard(this.#deaf);
    else this.close();
  }

  #refused(error: unknown, run_id?: string): void {
    if (error instanceof CartritaApiError) this.#told.put({ type: 'refused', error, run_id });
  }

  #ended(error: unknown): void {
    this.#commands.end(error);
    const closed = this.#reconnection.signal.aborted;
    this.#told.end(closed ? undefined : error);
    if (!closed && error instanceof CartritaApiError) this.#settings.onFailure(error);
  }
}

/** An answer that is read and heard: how far, of both. */
class SpokenRun {
  readonly place = new Place();
  /** The first sentence that was not heard whole. */
  heard = 0;
  answered = false;
  spoken: boolean;

  constructor(runId: string, isSpoken: boolean) {
    this.place.move(runId, 0);
    this.spoken = !isSpoken;
  }
}

function isTold(frame: SocketFrame): frame is Exclude<Told, { readonly type: 'pong' | 'drain' }> {
  return 'type' in frame && !['pong', 'drain', 'accepted'].includes(frame.type);
}

function keep(beginning: BufferSource[], piece: BufferSource): void {
  const kept = beginning.reduce((sum, each) => sum + each.byteLength, 0);
  if (kept + piece.byteLength <= LONGEST_BEGINNING) beginning.push(piece);
}

function* pieces(samples: Int16Array<ArrayBuffer> | ArrayBuffer): Generator<Uint8Array<ArrayBuffer>> {
  const bytes = samples instanceof ArrayBuffer ? new Uint8Array(samples) : new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  for (let at = 0; at < bytes.length; at += LARGEST_FRAME) yield bytes.slice(at, at + LARGEST_FRAME);
}
