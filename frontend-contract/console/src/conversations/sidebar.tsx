/** The conversations, the search in them, and the way to everything else. */

import { useSignal } from '@preact/signals';

import { Icon, Problem } from '../parts/controls';
import { momentOf } from '../parts/sentences';
import { useConsole } from '../state/console';
import { addressOf, type View } from '../state/router';
import { ConversationItem } from './conversation-item';

const WAIT_MS = 200;

const PLACES: readonly (readonly [View, string])[] = [
  ['usage', 'Usage'],
  ['providers', 'Providers'],
  ['desktop', 'Desktops'],
];

export function Sidebar() {
  const page = useConsole();
  const { session, conversations, desktops, router } = page;
  const view = router.route.value.view;
  return (
    <aside class="sidebar">
      <a class="button primary" href="#/">
        <Icon name="plus" /> New conversation
      </a>
      <Search />
      <nav class="list" aria-label="Conversations">
        {conversations.found.value ? <Found /> : <Conversations />}
        <Problem text={conversations.problem.value} />
      </nav>
      <nav class="places" aria-label="More">
        {PLACES.map(([name, title]) => (
          <a key={name} href={`#/${name}`} aria-current={view === name ? 'page' : undefined}>
            {title} {name === 'desktop' && desktops.held.value && <small>you control one</small>}
          </a>
        ))}
      </nav>
      <div class="row between who">
        <span title={session.me.value?.owner_id}>{session.me.value?.name || session.me.value?.owner_id}</span>
        <button type="button" onClick={() => void page.signOut()}>
          Sign out
        </button>
      </div>
    </aside>
  );
}

function Search() {
  const { conversations } = useConsole();
  const timer = useSignal(0);
  const search = (query: string) => {
    clearTimeout(timer.peek());
    timer.value = window.setTimeout(() => void conversations.search(query), query ? WAIT_MS : 0);
  };
  return (
    <input
      type="search"
      aria-label="Search conversations"
      placeholder="Search"
      maxLength={200}
      onInput={(event) => search(event.currentTarget.value)}
    />
  );
}

function Conversations() {
  const { conversations } = useConsole();
  const archived = conversations.archived.value;
  return (
    <>
      <ul>
        {conversations.items.value.map((each) => (
          <ConversationItem key={each.id} conversation={each} />
        ))}
      </ul>
      {conversations.items.value.length === 0 && <p class="quiet">{archived ? 'Nothing is archived.' : 'No conversations yet.'}</p>}
      {conversations.nextCursor.value !== null && (
        <button type="button" onClick={() => void conversations.more()}>
          Show more
        </button>
      )}
      <button type="button" class="quiet" onClick={() => void conversations.showArchived(!archived)}>
        {archived ? 'Back to all' : 'Show archived'}
      </button>
    </>
  );
}

function Found() {
  const { conversations } = useConsole();
  const found = conversations.found.value ?? [];
  return (
    <>
      <p class="quiet" role="status">
        {found.length === 0 ? 'Nothing was found.' : `${found.length} found`}
      </p>
      <ul>
        {found.map((each) => (
          <li key={each.id} class="found">
            <a href={addressOf(conversationIn(each.url))}>
              <b>{each.title}</b>
              <span>{each.snippet}</span>
              <small>{momentOf(each.timestamp)}</small>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}

/** The conversation that an address such as `/api/conversations/ID/messages/...` is of. */
function conversationIn(url: string): string {
  return decodeURIComponent(url.split('/')[3] ?? '');
}
