/** Speaks with a server that is a function: over a cut, against refusals, and until it is closed. */

import type { VoiceEvent, VoiceSession } from '@cartrita/client';
import { clientOf, given, outcome, tell } from './program.js';
import { served, type Frame, type Serve, type Wire } from './wire.js';

const PLACE = { conversation_id: 'conv_1', run_id: 'run_1', message_id: 'msg_1' };
const TURN = { type: 'turn', turn: 1, text: 'good morning', duration: 1, words: [], ...PLACE };
const SOUND = new Uint8Array([1, 0, 2, 0]).buffer;

function listen(wire: Wire, frame: Frame): void {
  if (frame['type'] === 'ping') wire.say({ type: 'pong' });
  if (frame['type'] === 'start') wire.say({ type: 'listening', turn: 1, transcriber: 'a/b', sample_rate: 16000 });
  if (frame['type'] === 'stop') queueMicrotask(() => wire.say({ type: 'stopped' }));
}

function event(wire: Wire, seq: number, name: string, data: object): void {
  wire.say({ event: name, data: { ...PLACE, ...data }, run_id: 'run_1', seq });
}

function spoken(wire: Wire, sentence: number): void {
  wire.say({ type: 'speech_start', run_id: 'run_1', sentence, text: 'Yes.', format: 'pcm', sample_rate: 24000 });
  wire.say(SOUND);
}

const SERVED: Readonly<Record<string, Serve>> = {
  /** The first connection breaks in the middle of the second sentence. */
  cut: (wire, frame, connection) => {
    listen(wire, frame);
    if (frame['type'] === 'audio' && connection === 1) {
      wire.say({ type: 'transcript', turn: 1, text: 'good', start: 0, duration: 1, final: false });
      wire.say(TURN);
      event(wire, 1, 'stream_start', {});
      event(wire, 2, 'token', { delta: 'Yes.', content: 'Yes.', position: 0 });
      spoken(wire, 0);
      wire.say({ type: 'speech_end', run_id: 'run_1', sentence: 0 });
      spoken(wire, 1);
      queueMicrotask(() => wire.drop());
    }
    if (frame['type'] !== 'resume') return;
    event(wire, 2, 'token', { delta: 'Yes.', content: 'Yes.', position: 0 });
    event(wire, 3, 'done', { final_response: 'Yes.', agent_type: 'supervisor', sources: [] });
    spoken(wire, 1);
    wire.say({ type: 'speech_end', run_id: 'run_1', sentence: 1 });
    wire.say({ type: 'speech_done', run_id: 'run_1' });
  },
  /** What is asked for while nobody listens is asked for again; sound of no sentence is no speech. */
  asked: (wire, frame, connection) => {
    if (connection === 1 && frame['type'] === 'stop_speaking') wire.drop();
    else listen(wire, frame);
    if (frame['type'] === 'start') wire.say(SOUND);
    if (frame['type'] === 'approve') wire.say({ error: 'It is another.', code: 'arguments_changed', run_id: 'run_1' });
    if (frame['type'] === 'cancel') wire.say({ error: 'It is gone.', code: 'run_not_found', run_id: 'run_2' });
    if (frame['type'] === 'audio') wire.say({ error: 'Half a sample.', code: 'invalid_audio' });
  },
  /** Nothing listens here. */
  deaf: (wire, frame) => {
    if (frame['type'] === 'start') wire.say({ error: 'Install an ear.', code: 'transcription_unavailable' });
    listen(wire, frame['type'] === 'start' ? { type: 'none' } : frame);
  },
  /** It has heard a turn, and then can hear no more; the answer is written and spoken still. */
  deafened: (wire, frame) => {
    listen(wire, frame);
    if (frame['type'] !== 'audio') return;
    wire.say(TURN);
    wire.say({ error: 'The ear has gone.', code: 'upstream_cut' });
    wire.say({ type: 'stopped' });
    wire.say({ error: 'Start first.', code: 'not_started' });
    event(wire, 1, 'done', { final_response: 'Yes.', agent_type: 'supervisor', sources: [] });
    queueMicrotask(() => wire.say({ type: 'speech_done', run_id: 'run_1' }));
  },
  /** What is decided meanwhile is taken, whatever becomes of the sound. */
  decided: (wire, frame) => {
    if (frame['type'] === 'approve') wire.say({ error: 'Half a sample.', code: 'invalid_audio' });
    listen(wire, frame);
  },
};

function plain(told: VoiceEvent): object {
  if (told.type === 'speech') return { ...told, audio: [...new Uint8Array(told.audio)] };
  if (told.type === 'run_event') return { type: told.type, event: told.told.event };
  return told.type === 'refused' ? { type: told.type, code: told.error.code } : told;
}

async function asks(session: VoiceSession): Promise<object> {
  session.endTurn();
  session.stopSpeaking();
  session.cancel('run_2');
  return outcome(() => session.approve('run_1', 'appr_1', { decision: 'approve', arguments_hash: 'sha' }));
}

const { what } = given<{ what: string }>();
const { type, wires } = served(SERVED[what] ?? listen);
const client = clientOf('http://127.0.0.1:9', 'ck_key', { WebSocket: type });
const session = client.openVoice({ conversation_id: 'conv_0', voice: 'amber' });
session.sendAudio(new Int16Array([1, 2, 3]));
const approved = what === 'asked' || what === 'decided' ? asks(session) : undefined;
const events: object[] = [];
const ended = await outcome(async () => {
  for await (const each of session) {
    events.push(plain(each));
    if (each.type === 'speech_done') session.stop();
    if (await approved) session.stop();
  }
});
session.sendAudio(new ArrayBuffer(2));
tell({ events, ended, approved: await approved, state: session.state, sent: wires.map((wire) => wire.sent) });
