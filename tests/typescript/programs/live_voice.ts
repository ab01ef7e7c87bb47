/** Says something to a real server, over a connection that may break, and tells what comes of it. */

import { clientOf, given, tell } from './program.js';

interface Given {
  readonly base: string;
  readonly key: string;
  /** Samples of 16 bits, 16,000 a second, in base64. */
  readonly sound: string;
}

const { base, key, sound } = given<Given>();
const client = clientOf(base, key);
const session = client.openVoice();
const bytes = Uint8Array.from(atob(sound), (letter) => letter.charCodeAt(0));
session.sendAudio(bytes.buffer);
session.endTurn();
session.stop();

const types: string[] = [];
const events: string[] = [];
const sentences: number[] = [];
let text = '';
let runId = '';
let heard = 0;
for await (const event of session) {
  types.push(event.type);
  if (event.type === 'turn') [text, runId] = [event.text, event.run_id ?? ''];
  if (event.type === 'run_event') events.push(event.told.id ?? event.told.event);
  if (event.type === 'speech') heard += event.audio.byteLength;
  if (event.type === 'speech_end') sentences.push(event.sentence);
}
const logged: string[] = [];
for await (const event of clientOf(base, key).getRunEvents(runId, { after: 0 })) logged.push(event.id ?? event.event);
tell({ types, text, heard, sentences, events, logged, state: session.state });
