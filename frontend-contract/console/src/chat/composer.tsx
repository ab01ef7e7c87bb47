/** The place to say something: text, files, and who shall answer. */

import type { AgentInfo } from '@cartrita/client';
import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { Icon, IconButton, useDisclosure } from '../parts/controls';
import { sizeOf } from '../parts/sentences';
import type { Choices } from '../state/chat';
import { useConsole } from '../state/console';
import type { Upload } from '../state/uploads';
import { Hearing, MicrophoneButton } from './voice-controls';

const LONGEST = 32_000;

export function Composer() {
  const { chat, uploads } = useConsole();
  const input = useRef<HTMLTextAreaElement>(null);
  const choices = useSignal<Choices>({ agent: '', model: '', approval: '' });
  const busy = chat.live.value.length > 0;
  const sending = uploads.items.value.some((each) => each.fileId === null && !each.problem);
  useSignalEffect(() => {
    void chat.conversationId.value;
    if (matchMedia('(pointer: fine)').matches) input.current?.focus();
  });
  const send = () => {
    const text = chat.drafts.shown.peek().text.trim();
    if (!text || sending) return;
    const { attachments } = chat.drafts.take();
    chat.send({ text, attachments: [...attachments, ...uploads.take()] }, choices.peek());
  };
  const key = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  const paste = (event: ClipboardEvent) => {
    const files = event.clipboardData?.files;
    if (!files?.length) return;
    event.preventDefault();
    uploads.add(files, chat.conversationId.peek());
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Attached />
      <Hearing />
      <textarea
        ref={input}
        rows={1}
        aria-label="Message"
        placeholder="Message"
        maxLength={LONGEST}
        value={chat.drafts.shown.value.text}
        onInput={(event) => chat.drafts.write(event.currentTarget.value)}
        onKeyDown={key}
        onPaste={paste}
      />
      <div class="row">
        <FileButton />
        <Options choices={choices.value} onChange={(change) => (choices.value = { ...choices.peek(), ...change })} />
        <span class="push" />
        <MicrophoneButton choices={choices.value} />
        {busy && <IconButton icon="stop" label="Stop the answer" onClick={() => void chat.stop()} />}
        <button class="icon-button primary" aria-label={sending ? 'Files are on their way' : 'Send'} title="Send" disabled={sending}>
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}

function FileButton() {
  const { chat, uploads } = useConsole();
  const input = useRef<HTMLInputElement>(null);
  const chosen = () => {
    uploads.add(input.current?.files ?? [], chat.conversationId.peek());
    if (input.current) input.current.value = '';
  };
  return (
    <>
      <input ref={input} type="file" multiple hidden aria-label="Files" onChange={chosen} />
      <IconButton icon="attach" label="Attach files" onClick={() => input.current?.click()} />
    </>
  );
}

function Attached() {
  const { uploads } = useConsole();
  if (uploads.items.value.length === 0) return null;
  return (
    <ul class="files" aria-label="Files for the next message">
      {uploads.items.value.map((each) => (
        <li key={each.key} class={each.problem ? 'failed' : ''}>
          <span>{each.name}</span> <small>{stateOf(each)}</small>
          {each.fileId === null && !each.problem && <progress value={each.progress} max={1} aria-label={`Upload of ${each.name}`} />}
          <IconButton icon="close" label={`Remove ${each.name}`} onClick={() => uploads.remove(each.key)} />
        </li>
      ))}
    </ul>
  );
}

function stateOf(upload: Upload): string {
  if (upload.problem) return upload.problem;
  return upload.fileId === null ? `${Math.round(upload.progress * 100)} %` : sizeOf(upload.size);
}

interface OptionsProps {
  readonly choices: Choices;
  readonly onChange: (change: Partial<Choices>) => void;
}

function Options({ choices, onChange }: OptionsProps) {
  const { api } = useConsole();
  const { element, onKeyDown } = useDisclosure();
  const agents = useSignal<readonly AgentInfo[]>([]);
  const models = useSignal<readonly string[]>([]);
  useEffect(() => {
    void api.getAgents().then((found) => (agents.value = found), () => undefined);
    void api.listModels().then((found) => (models.value = found.models), () => undefined);
  }, [api]);
  return (
    <details class="options" ref={element} onKeyDown={onKeyDown}>
      <summary>Options</summary>
      <div class="menu-items">
        <label>
          Agent
          <select value={choices.agent} onChange={(event) => onChange({ agent: event.currentTarget.value })}>
            <option value="">Whoever fits</option>
            {agents.value.map((each) => (
              <option key={each.id} value={each.id}>{each.name}</option>
            ))}
          </select>
        </label>
        <label>
          Model
          <select value={choices.model} onChange={(event) => onChange({ model: event.currentTarget.value })}>
            <option value="">The agent’s own</option>
            {models.value.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label>
          Ask me before tools
          <select value={choices.approval} onChange={(event) => onChange({ approval: event.currentTarget.value as Choices['approval'] })}>
            <option value="">that change something</option>
            <option value="always">always</option>
          </select>
        </label>
      </div>
    </details>
  );
}
