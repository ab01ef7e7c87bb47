/** What the events of a run add up to, and what a stored message says of the same: plain values. */

import type {
  ApprovalRequiredData,
  ChatStreamEvent,
  DoneData,
  ErrorData,
  MessagePart,
  MessageView,
  Source,
  TaskStartData,
} from '@cartrita/client';

export interface ToolUse {
  readonly id: string;
  readonly name: string;
  readonly arguments: unknown;
  readonly result?: unknown;
  /** Undefined until it has returned. */
  readonly success?: boolean | undefined;
  readonly taskId?: string | undefined;
  readonly progress?: Progress | undefined;
}

export interface Progress {
  /** From 0 to 1, or null where nobody knows. */
  readonly part: number | null;
  readonly step: string;
}

export interface AgentTask extends TaskStartData {
  readonly progress?: Progress | undefined;
  readonly result?: string;
  readonly success?: boolean;
  readonly seconds?: number;
}

export type Decision = 'approve' | 'deny';

export interface Approval extends ApprovalRequiredData {
  readonly decision?: Decision;
}

export interface Answer {
  readonly runId: string | null;
  readonly messageId: string | null;
  readonly agent: string;
  readonly model: string;
  readonly text: string;
  readonly reasoning: string;
  readonly tools: readonly ToolUse[];
  readonly tasks: readonly AgentTask[];
  readonly approvals: readonly Approval[];
  readonly sources: readonly Source[];
  /** What it waits for, in a sentence. */
  readonly waiting: string;
  readonly failure: Pick<ErrorData, 'error' | 'code' | 'recoverable'> | null;
  readonly done: DoneData | null;
}

export const NOTHING_YET: Answer = {
  runId: null,
  messageId: null,
  agent: '',
  model: '',
  text: '',
  reasoning: '',
  tools: [],
  tasks: [],
  approvals: [],
  sources: [],
  waiting: '',
  failure: null,
  done: null,
};

export function hasEnded(answer: Answer): boolean {
  return answer.done !== null || answer.failure !== null;
}

/** The answer once an event has been told. */
export function afterEvent(answer: Answer, told: ChatStreamEvent): Answer {
  const now = told.event === 'queued' ? answer : { ...answer, waiting: '' };
  switch (told.event) {
    case 'stream_start': {
      const { run_id, message_id, agent_type, model } = told.data;
      return { ...now, runId: run_id, messageId: message_id, agent: agent_type, model };
    }
    case 'queued':
      return { ...now, waiting: waitingSentence(told.data) };
    case 'token':
      return { ...now, text: now.text + told.data.delta };
    case 'reasoning':
      return { ...now, reasoning: now.reasoning + told.data.delta };
    case 'function_call': {
      const { call_id, function_name, arguments: given, task_id } = told.data;
      return { ...now, tools: [...now.tools, { id: call_id, name: function_name, arguments: given, taskId: task_id }] };
    }
    case 'tool_result': {
      const { call_id, result, success } = told.data;
      const tools = changed(now.tools, (each) => each.id === call_id, { result, success, progress: undefined });
      return { ...now, tools, approvals: now.approvals.filter((each) => each.call_id !== call_id) };
    }
    case 'agent_task_start':
      return { ...now, tasks: [...now.tasks, told.data] };
    case 'agent_task_progress': {
      const { task_id, progress: part, current_step: step } = told.data;
      const progress = { part, step };
      const tools = changed(now.tools, (each) => each.id === task_id, { progress });
      return { ...now, tools, tasks: changed(now.tasks, (each) => each.task_id === task_id, { progress }) };
    }
    case 'agent_task_complete': {
      const { task_id, result, success, execution_time: seconds } = told.data;
      return { ...now, tasks: changed(now.tasks, (each) => each.task_id === task_id, { result, success, seconds, progress: undefined }) };
    }
    case 'approval_required':
      return { ...now, approvals: [...now.approvals.filter((each) => each.approval_id !== told.data.approval_id), told.data] };
    case 'source':
      return { ...now, sources: [...now.sources.filter((each) => each.index !== told.data.index), told.data] };
    case 'snapshot': {
      const last = [...told.data.messages].reverse().find((each) => each.role === 'assistant');
      return last ? { ...now, ...saidBy(last.parts) } : now;
    }
    case 'error':
      return { ...now, failure: told.data, approvals: [] };
    case 'done':
      return { ...now, text: told.data.final_response, sources: told.data.sources, done: told.data, approvals: [] };
    default:
      return now;
  }
}

export function decided(answer: Answer, approvalId: string, decision: Decision): Answer {
  return { ...answer, approvals: changed(answer.approvals, (each) => each.approval_id === approvalId, { decision }) };
}

/** A stored answer, as far as its message tells of it. */
export function ofMessage(message: MessageView): Answer {
  return {
    ...NOTHING_YET,
    ...saidBy(message.parts),
    text: message.content,
    runId: message.run_id,
    messageId: message.id,
    model: message.model ?? '',
  };
}

type Said = Pick<Answer, 'text' | 'reasoning' | 'tools' | 'sources'>;

function saidBy(parts: readonly MessagePart[]): Said {
  return parts.reduce(withPart, { text: '', reasoning: '', tools: [], sources: [] });
}

function withPart(said: Said, part: MessagePart): Said {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return { ...said, text: said.text + part.text };
    case 'reasoning':
      return { ...said, reasoning: said.reasoning + part.text };
    case 'tool_call':
      return { ...said, tools: [...said.tools, { id: part.call_id, name: part.name, arguments: part.arguments }] };
    case 'tool_result': {
      const { success = true } = part;
      const result = part.content.map((each) => ('text' in each ? each.text : `(${each.type})`)).join('\n');
      return { ...said, tools: changed(said.tools, (each) => each.id === part.call_id, { result, success }) };
    }
    case 'citation': {
      const { title, url = null, snippet = null, index = said.sources.length + 1 } = part;
      if (said.sources.some((each) => each.index === index)) return said;
      return { ...said, sources: [...said.sources, { title, url, snippet, index }] };
    }
    default:
      return said;
  }
}

function waitingSentence(told: { position: number; eta_seconds?: number | null | undefined; provider?: string | null | undefined }): string {
  const { position, eta_seconds: eta, provider } = told;
  if (!provider) return `Waiting for earlier answers here: number ${position} in the queue.`;
  const when = eta ? ` About ${Math.ceil(eta)} s.` : '';
  return `Waiting for ${provider}: number ${position} in the queue.${when}`;
}

function changed<T>(items: readonly T[], fits: (item: T) => boolean, change: Partial<T>): readonly T[] {
  return items.map((item) => (fits(item) ? { ...item, ...change } : item));
}
