/** Speaking with the assistant: the microphone, what is heard, and answers that are spoken. */

import type { CartritaApiClient, VoiceEvent, VoiceSession } from '@cartrita/client';
import { batch, signal } from '@preact/signals';

import { sentenceOf } from '../parts/sentences';
import { Microphone } from '../voice/microphone';
import { Speaker } from '../voice/speaker';
import type { Chat, Choices } from './chat';

export class Voice {
  /** Why one cannot speak here, in a sentence; null until it is known, and empty where one can. */
  readonly hindrance = signal<string | null>(null);
  readonly listening = signal(false);
  /** How loud it is, from 0 to 1. */
  readonly level = signal(0);
  /** What is heard of the turn that is being spoken, of which the end may change. */
  readonly heard = signal('');
  /** Whether nobody speaks any more, and the last words are still to come. */
  readonly finishing = signal(false);
  readonly speaking = signal(false);
  readonly #api: CartritaApiClient;
  readonly #chat: Chat;
  readonly #speaker = new Speaker((playing) => (this.speaking.value = playing));
  #microphone: Microphone | undefined;
  #session: VoiceSession | undefined;
  #conversationId: string | null = null;
  #certain = '';
  /** The answer whose speech is passed over, for it is to be read. */
  #hushed: string | undefined;
  /** The answer that is heard now, or was last. */
  #audible: string | undefined;

  constructor(api: CartritaApiClient, chat: Chat) {
    this.#api = api;
    this.#chat = chat;
    chat.conversationId.subscribe((id) => id !== this.#conversationId && this.leave());
  }

  async look(): Promise<void> {
    try {
      const { transcribers } = await this.#api.getVoice();
      const needs = transcribers.flatMap((each) => (each.needs ? [each.needs] : []));
      const usable = transcribers.some((each) => each.available);
      this.hindrance.value = usable ? '' : `This server cannot listen yet. ${needs[0] ?? ''}`.trim();
    } catch (error) {
      this.hindrance.value = sentenceOf(error);
    }
  }

  /** Listens until it is told not to; each turn is answered when its speaker pauses. */
  async begin(choices: Choices): Promise<void> {
    if (this.listening.peek()) return;
    this.leave();
    this.listening.value = true;
    this.#chat.problem.value = '';
    this.#conversationId = this.#chat.conversationId.peek();
    const session = this.#open(choices);
    try {
      const microphone = await Microphone.open(({ samples, level }) => {
        session.sendAudio(samples);
        this.level.value = level;
      });
      if (this.#session === session && this.listening.peek()) this.#microphone = microphone;
      else microphone.close();
    } catch (error) {
      this.#failed(session, error);
    }
  }

  /** No more is said: what was said is answered. */
  end(): void {
    this.#silence();
    this.finishing.value = this.#session !== undefined;
    this.#session?.endTurn();
    this.#session?.stop();
  }

  /** The answer is to be read, not to be heard. */
  hush(): void {
    this.#hushed = this.#audible;
    this.#speaker.stop();
    this.#session?.stopSpeaking();
  }

  /** Turns to something else; answers are written all the same. */
  leave(): void {
    this.#silence();
    this.#speaker.stop();
    this.#session?.close();
    this.#session = undefined;
    this.finishing.value = false;
    this.#hear('', '');
  }

  #open({ agent, model, approval }: Choices): VoiceSession {
    const session = this.#api.openVoice({
      ...(this.#conversationId ? { conversation_id: this.#conversationId } : {}),
      ...(agent ? { agent_override: agent } : {}),
      ...(model ? { model } : {}),
      ...(approval ? { approval } : {}),
    });
    this.#session = session;
    void this.#follow(session);
    return session;
  }

  async #follow(session: VoiceSession): Promise<void> {
    try {
      for await (const event of session) if (session === this.#session) this.#take(event);
      if (session !== this.#session) return;
      this.#silence();
      this.finishing.value = false;
    } catch (error) {
      this.#failed(session, error);
    }
  }

  #failed(session: VoiceSession, error: unknown): void {
    if (session !== this.#session) return;
    this.leave();
    this.#chat.problem.value = sentenceOf(error);
  }

  #take(event: VoiceEvent): void {
    switch (event.type) {
      case 'transcript':
        return this.#hear(event.final ? `${this.#certain} ${event.text}` : this.#certain, event.final ? '' : event.text);
      case 'turn':
        this.finishing.value = false;
        this.#hear('', '');
        if (event.run_id === undefined || event.conversation_id === undefined) return;
        this.#conversationId = event.conversation_id;
        return this.#chat.followSpoken(event.run_id, event.text);
      case 'speech_start':
        if (event.sample_rate !== undefined) this.#speaker.begin(event.sample_rate);
        return;
      case 'speech':
        if (event.run_id === this.#hushed) return;
        this.#audible = event.run_id;
        return this.#speaker.play(event.audio);
      case 'speech_stopped':
        return this.#speaker.stop();
      case 'refused':
        // Why it does not listen any more was told before.
        if (event.error.code === 'not_started') return this.leave();
        this.#chat.problem.value = sentenceOf(event.error);
        return;
    }
  }

  #hear(certain: string, rest: string): void {
    this.#certain = certain.trim();
    this.heard.value = `${this.#certain} ${rest}`.trim();
  }

  #silence(): void {
    this.#microphone?.close();
    this.#microphone = undefined;
    batch(() => {
      this.listening.value = false;
      this.level.value = 0;
    });
  }
}
