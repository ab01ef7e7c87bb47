/** One conversation in the list, and what can be done with it. */

import type { ConversationView } from '@cartrita/client';
import { useSignal } from '@preact/signals';

import { Dialog, Icon, Menu } from '../parts/controls';
import { useConsole } from '../state/console';
import { addressOf } from '../state/router';

export function ConversationItem({ conversation }: { conversation: ConversationView }) {
  const { chat, conversations } = useConsole();
  const asking = useSignal<'' | 'title' | 'deletion'>('');
  const { id, title, pinned, archived } = conversation;
  const exported = (format: string) => `/api/conversations/${encodeURIComponent(id)}/export?format=${format}`;
  const current = chat.conversationId.value === id;
  return (
    <li class="conversation">
      <a href={addressOf(id)} aria-current={current ? 'page' : undefined} title={title}>
        {pinned && <Icon name="pin" />}
        {pinned && <span class="unseen">Pinned: </span>}
        {title}
      </a>
      <Menu label={`Actions for ${title}`}>
        <button type="button" onClick={() => (asking.value = 'title')}>Rename</button>
        <button type="button" onClick={() => void conversations.change(id, { pinned: !pinned })}>{pinned ? 'Unpin' : 'Pin'}</button>
        <button type="button" onClick={() => void conversations.change(id, { archived: !archived })}>
          {archived ? 'Take out of the archive' : 'Archive'}
        </button>
        <a href={exported('markdown')} download>Export as Markdown</a>
        <a href={exported('json')} download>Export as JSON</a>
        <button type="button" class="dangerous" onClick={() => (asking.value = 'deletion')}>Delete</button>
      </Menu>
      {asking.value === 'title' && <Rename conversation={conversation} onClose={() => (asking.value = '')} />}
      {asking.value === 'deletion' && <Delete conversation={conversation} onClose={() => (asking.value = '')} />}
    </li>
  );
}

interface Asked {
  readonly conversation: ConversationView;
  readonly onClose: () => void;
}

function Rename({ conversation, onClose }: Asked) {
  const { chat, conversations } = useConsole();
  const rename = async (form: FormData) => {
    await conversations.change(conversation.id, { title: String(form.get('title')) });
    if (chat.conversationId.peek() === conversation.id) await chat.refresh();
  };
  return (
    <Dialog title="Rename the conversation" action="Rename" onDone={(form) => void rename(form)} onClose={onClose}>
      <label for="title">Title</label>
      <input id="title" name="title" defaultValue={conversation.title} maxLength={200} required />
    </Dialog>
  );
}

function Delete({ conversation, onClose }: Asked) {
  const { chat, conversations, router } = useConsole();
  const remove = async () => {
    const wasOpen = chat.conversationId.peek() === conversation.id;
    if ((await conversations.remove(conversation.id)) && wasOpen) router.go('#/');
  };
  return (
    <Dialog title="Delete the conversation?" action="Delete" dangerous onDone={() => void remove()} onClose={onClose}>
      <p>“{conversation.title}” goes for good, with all of its branches.</p>
    </Dialog>
  );
}
