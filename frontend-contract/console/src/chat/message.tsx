/** Stored messages: questions and answers, their versions, and what can be done with them. */

import type { MessageView } from '@cartrita/client';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { CopyButton, IconButton } from '../parts/controls';
import { momentOf, secondsOf } from '../parts/sentences';
import { useConsole } from '../state/console';
import { AnswerView } from './answer-view';
import { ofMessage, type Answer } from './answers';
import { MessageText } from './message-text';

interface MessageProps {
  readonly message: MessageView;
  /** Whether nothing follows it. */
  readonly last: boolean;
}

export function QuestionMessage({ message, last }: MessageProps) {
  const { chat } = useConsole();
  const editing = useSignal(false);
  const busy = chat.live.value.length > 0;
  const attachments = message.parts.flatMap((each) => (each.type === 'attachment' ? (each.attachment_id ?? []) : []));
  const spoken = message.parts.some((each) => each.type === 'text' && each.spoken);
  if (editing.value) return <Editing message={message} onClose={() => (editing.value = false)} />;
  return (
    <li class="message question" aria-label="You">
      <div class="bubble">
        <MessageText text={message.content} attachments={attachments} spoken={spoken} />
      </div>
      <div class="actions">
        <Versions message={message} />
        <time dateTime={message.timestamp}>{momentOf(message.timestamp)}</time>
        <IconButton icon="edit" label="Edit and ask again" disabled={busy} onClick={() => (editing.value = true)} />
        {last && <IconButton icon="retry" label="Try again" disabled={busy} onClick={() => chat.retry(message)} />}
      </div>
    </li>
  );
}

function Editing({ message, onClose }: { message: MessageView; onClose: () => void }) {
  const { chat } = useConsole();
  const submit = (event: Event) => {
    event.preventDefault();
    const text = String(new FormData(event.currentTarget as HTMLFormElement).get('text')).trim();
    if (text) chat.edit(message, text);
    onClose();
  };
  return (
    <li class="message question">
      <form class="editing" onSubmit={submit} onKeyDown={({ key }) => key === 'Escape' && onClose()}>
        <textarea name="text" aria-label="Other words" maxLength={32_000} required autofocus defaultValue={message.content} />
        <div class="row end">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button class="primary">Ask again</button>
        </div>
      </form>
    </li>
  );
}

export function AnswerMessage({ message, last }: MessageProps) {
  const { chat, reasons, session } = useConsole();
  const told = chat.told.value.get(message.id);
  const busy = chat.live.value.length > 0;
  const partial = message.status === 'partial';
  const canRecount = !told && message.run_id !== null;
  const failure = (told?.failure ?? (partial ? reasons.known.value.get(message.id) : undefined)) ?? null;
  const traced = told !== undefined && session.me.value?.operator === true;
  const unexplained = partial && !failure;
  useEffect(() => {
    if (unexplained) void reasons.learn(message);
  }, [unexplained, message.id]);
  return (
    <li class="message answer" aria-label="Answer">
      <AnswerView answer={{ ...withText(told, message), failure }} />
      {unexplained && <p class="quiet">This answer ended early.</p>}
      <div class="actions">
        <Versions message={message} />
        <CopyButton text={message.content} />
        <IconButton icon="retry" label="Answer again" disabled={busy} onClick={() => chat.retry(message)} />
        {partial && last && (
          <button type="button" disabled={busy} onClick={() => void chat.continue(message)}>
            Continue
          </button>
        )}
        {traced && message.run_id && <TraceLink runId={message.run_id} />}
        {canRecount && (
          <button type="button" class="quiet" onClick={() => void chat.recount(message)}>
            How it came about
          </button>
        )}
        <time dateTime={message.timestamp}>{momentOf(message.timestamp)}</time>
        <small>{facts(message, told)}</small>
      </div>
    </li>
  );
}

/** For whoever runs the server: the trace of an answer, where one is made and shown somewhere. */
function TraceLink({ runId }: { runId: string }) {
  const { api } = useConsole();
  const url = useSignal<string | null>(null);
  useEffect(() => {
    void api.getRun(runId).then(
      (run) => (url.value = run.trace_url),
      () => (url.value = null),
    );
  }, [runId]);
  return (
    url.value && (
      <a href={url.value} target="_blank" rel="noreferrer">
        Trace
      </a>
    )
  );
}

/** The message is the truth about the text; the events know more of how it came about. */
function withText(told: Answer | undefined, message: MessageView): Answer {
  const stored = ofMessage(message);
  return told ? { ...told, text: stored.text, reasoning: stored.reasoning || told.reasoning } : stored;
}

function facts(message: MessageView, told: Answer | undefined): string {
  const usage = message.token_usage;
  return [
    message.provider && `${message.provider}/${message.model}`,
    usage && `${usage.estimated ? 'about ' : ''}${usage.total_tokens.toLocaleString()} tokens`,
    told?.done && secondsOf(told.done.processing_time),
  ]
    .filter(Boolean)
    .join(' · ');
}

function Versions({ message }: { message: MessageView }) {
  const { chat } = useConsole();
  const ids = chat.versions.value.get(message.id);
  if (!ids) return null;
  const index = ids.indexOf(message.id);
  const busy = chat.live.value.length > 0;
  const go = (to: number) => void chat.select(ids[to] ?? message.id);
  return (
    <span class="versions" role="group" aria-label="Versions of this message">
      <IconButton icon="left" label="Earlier version" disabled={busy || index === 0} onClick={() => go(index - 1)} />
      {index + 1} of {ids.length}
      <IconButton icon="right" label="Later version" disabled={busy || index === ids.length - 1} onClick={() => go(index + 1)} />
    </span>
  );
}
