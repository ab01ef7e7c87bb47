/** Says several things at once over one live session. */

import type { LiveState } from '@cartrita/client';
import { clientOf, given, tell } from './program.js';

interface Given {
  readonly base: string;
  readonly key: string;
  readonly messages: readonly string[];
}

const { base, key, messages } = given<Given>();
const states: LiveState[] = [];
const session = clientOf(base, key).openLiveSession({ onState: (state) => states.push(state) });
const answers = messages.map((message) => session.chat({ message }));
const texts = await Promise.all(answers.map((answer) => answer.text()));
for (const text of texts) tell({ text });
session.close();
tell({ states });
