/** Follows a run over the WebSocket of something else. */

import { clientOf, given, outcome, tell } from './program.js';
import { served } from './wire.js';

const { said, what } = given<{ said: string; what: 'stream' | 'live' }>();
const { type } = served((wire, frame) => frame['type'] === 'chat' && wire.say(said));
const client = clientOf('http://127.0.0.1:9', 'ck_key', { WebSocket: type, transports: ['websocket'] });
const talk = what === 'stream' ? client : client.openLiveSession();
const answer = 'streamChat' in talk ? talk.streamChat({ message: 'Hello' }) : talk.chat({ message: 'Hello' });
tell(await outcome(() => answer.text()));
