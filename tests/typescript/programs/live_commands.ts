/** Says what a run is to do over a socket that is cut, that refuses, or that is not there any more. */

import { clientOf, errorFact, given, outcome, tell } from './program.js';
import { served, type Frame, type Serve, type Wire } from './wire.js';

const APPROVAL = { decision: 'approve', arguments_hash: 'sha' } as const;
const TASK = { task_id: 'task', agent_type: 'writer', status: 'x', progress: null, current_step: null };
const PLACE = { conversation_id: 'conv_1', run_id: 'run_1', message_id: 'msg_1' };

function pong(wire: Wire, frame: Frame): void {
  if (frame['type'] === 'ping') wire.say({ type: 'pong' });
}

function event(wire: Wire, seq: number, name: string, data: object): void {
  wire.say({ event: name, data: { ...PLACE, ...data }, run_id: 'run_1', seq });
}

function end(wire: Wire): void {
  event(wire, 5, 'done', { final_response: 'Here.', agent_type: 'supervisor', sources: [] });
}

const SERVED: Readonly<Record<string, Serve>> = {
  /** The first connection ends when a decision is read, and answers nothing. */
  cut: (wire, frame, connection) => {
    if (connection > 1) return pong(wire, frame);
    if (frame['type'] === 'approve') wire.drop();
  },
  /** What happens on a run is no answer to the decision, which is refused after it. */
  refused: (wire, frame) => {
    pong(wire, frame);
    if (frame['type'] !== 'approve') return;
    event(wire, 4, 'agent_task_progress', TASK);
    wire.say({ error: 'It is another call.', code: 'arguments_changed', run_id: 'run_1' });
    queueMicrotask(() => end(wire));
  },
  /** The first decision comes too early. */
  hurried: (wire, frame) => {
    pong(wire, frame);
    if (frame['type'] !== 'approve') return;
    const times = wire.sent.filter((each) => each['type'] === 'approve').length;
    if (times === 1) wire.say({ error: 'Later.', code: 'rate_limited', run_id: 'run_1', retry_after: 0.01 });
    else queueMicrotask(() => end(wire));
  },
  closed: pong,
};

const { what } = given<{ what: string }>();
const { type, wires } = served(SERVED[what] ?? pong);
const session = clientOf('http://127.0.0.1:9', 'ck_key', { WebSocket: type }).openLiveSession();
const answer = session.resume('run_1', 3);
const text = answer.text().catch(errorFact);
await new Promise((resume) => setTimeout(resume, 0));
if (what === 'closed') session.close();
session.cancel('run_2');
const approved = await outcome(() => session.approve('run_1', 'appr_1', APPROVAL));
const read = what === 'cut' ? null : await text;
tell({ approved, text: read, sent: wires.map((wire) => wire.sent.map((frame) => frame['type'])) });
session.close();
