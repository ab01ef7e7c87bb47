/** What an agent is to do on a desktop, and which of its actions a person decides on. */

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { useConsole } from '../state/console';
import type { TaskChoices } from '../state/chat';

export type Choices = Omit<TaskChoices, 'desktopId'>;

interface TaskFormProps {
  readonly action: string;
  readonly busy: boolean;
  readonly onTask: (text: string, choices: Choices) => void;
}

export function TaskForm({ action, busy, onTask }: TaskFormProps) {
  const { api, chat } = useConsole();
  const choices = useSignal<Choices>({ model: '', approval: '' });
  const models = useSignal<readonly string[]>([]);
  useEffect(() => void api.listModels().then((found) => (models.value = found.models), () => undefined), [api]);
  /** A task that is not taken is given back: see `Chat`. */
  const submit = (event: Event) => {
    event.preventDefault();
    if (!chat.drafts.shown.peek().text.trim()) return;
    onTask(chat.drafts.take().text.trim(), choices.peek());
  };
  const choose = (change: Partial<Choices>) => (choices.value = { ...choices.peek(), ...change });
  return (
    <form class="task-form" onSubmit={submit}>
      <textarea
        rows={2}
        aria-label="Task"
        placeholder="What is to be done on the desktop?"
        maxLength={32_000}
        required
        value={chat.drafts.shown.value.text}
        onInput={(event) => chat.drafts.write(event.currentTarget.value)}
      />
      <div class="task-choices">
        <label>
          Ask me before
          <select
            value={choices.value.approval}
            onChange={(event) => choose({ approval: event.currentTarget.value as Choices['approval'] })}
          >
            <option value="">risky actions</option>
            <option value="always">every action</option>
            <option value="never">no action</option>
          </select>
        </label>
        <label>
          Model
          <select value={choices.value.model} onChange={(event) => choose({ model: event.currentTarget.value })}>
            <option value="">The agent’s own</option>
            {models.value.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <button class="primary" disabled={busy}>
          {action}
        </button>
      </div>
    </form>
  );
}
