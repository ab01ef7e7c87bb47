/** Tells in a conversation that an agent uses a desktop for it, and where that is seen. */

import { useComputed, useSignalEffect } from '@preact/signals';

import { useConsole } from '../state/console';
import { desktopAddress } from '../state/router';
import { COMPUTER, HAND_OVER } from './actions';

export function DesktopNotice() {
  const { chat, desktops } = useConsole();
  // As text: it changes with each call and its end, and not with each word of the answer.
  const calls = useComputed(() => {
    const live = chat.live.value.flatMap(({ answer }) => answer.value.tools.map(({ id, name, success }) => ({ id, name, success })));
    const stored = chat.messages.value.flatMap(({ parts }) =>
      parts.flatMap((each) => (each.type === 'tool_call' ? [{ id: each.call_id, name: each.name }] : [])),
    );
    return JSON.stringify([...stored, ...live].filter(({ name }) => [COMPUTER, HAND_OVER].includes(name)));
  });
  useSignalEffect(() => {
    if (calls.value !== '[]') void desktops.refresh();
  });
  const desktop = desktops.of(chat.conversationId.value);
  if (!desktop) return null;
  return (
    <p class="notice desktop-notice">
      This conversation has a desktop. <a href={desktopAddress(desktop.id)}>Watch it</a>
    </p>
  );
}
