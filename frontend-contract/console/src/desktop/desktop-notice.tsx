/** Tells in a conversation that an agent uses a desktop for it, and where that is seen. */

import { useSignalEffect } from '@preact/signals';

import { useConsole } from '../state/console';
import { desktopAddress } from '../state/router';
import { COMPUTER, HAND_OVER } from './actions';

export function DesktopNotice() {
  const { chat, desktops } = useConsole();
  useSignalEffect(() => {
    const used = chat.live.value.some(({ answer }) => answer.value.tools.some((each) => [COMPUTER, HAND_OVER].includes(each.name)));
    const stored = chat.messages.value.some(({ parts }) => parts.some((each) => each.type === 'tool_call' && each.name === COMPUTER));
    if (used || stored) void desktops.refresh();
  });
  const desktop = desktops.of(chat.conversationId.value);
  if (!desktop) return null;
  return (
    <p class="notice desktop-notice">
      This conversation has a desktop. <a href={desktopAddress(desktop.id)}>Watch it</a>
    </p>
  );
}
