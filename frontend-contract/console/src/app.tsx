/** The frame of the page: sign-in, or the sidebar and what was chosen in it. */

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { ChatView } from './chat/chat-view';
import { Sidebar } from './conversations/sidebar';
import { DesktopsView } from './desktop/desktops-view';
import { IconButton } from './parts/controls';
import { ProvidersView } from './reports/providers-view';
import { UsageView } from './reports/usage-view';
import { SignIn } from './sign-in';
import { ConsoleContext, useConsole, type Console } from './state/console';

export function App({ console }: { console: Console }) {
  return (
    <ConsoleContext.Provider value={console}>
      <Body />
    </ConsoleContext.Provider>
  );
}

function Body() {
  const { session } = useConsole();
  switch (session.state.value) {
    case 'checking':
      return <p class="centred" role="status">One moment …</p>;
    case 'out':
      return <SignIn />;
    case 'in':
      return <Frame />;
  }
}

function Frame() {
  const { router, chat } = useConsole();
  const menuOpen = useSignal(false);
  const route = router.route.value;
  const title = route.view === 'chat' ? (chat.conversation.value?.title ?? 'New conversation') : TITLES[route.view];
  useEffect(() => {
    document.title = `${title} · Cartrita`;
    menuOpen.value = false;
  }, [title, route]);
  return (
    <div class={menuOpen.value ? 'frame menu-open' : 'frame'} onKeyDown={({ key }) => key === 'Escape' && (menuOpen.value = false)}>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the conversation
      </a>
      <Sidebar />
      <div class="shade" onClick={() => (menuOpen.value = false)} />
      <main id="main" tabIndex={-1}>
        <header class="bar">
          <span class="only-narrow">
            <IconButton icon="menu" label="Conversations and more" onClick={() => (menuOpen.value = !menuOpen.value)} />
          </span>
          <h1>{title}</h1>
        </header>
        <Offline />
        {route.view === 'chat' && <ChatView />}
        {route.view === 'usage' && <UsageView />}
        {route.view === 'providers' && <ProvidersView />}
        {route.view === 'desktop' && <DesktopsView route={route} />}
      </main>
    </div>
  );
}

const TITLES = { usage: 'Usage', providers: 'Providers', desktop: 'Desktops' } as const;

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

/** What is being answered goes on without the network, and is read when it is back. */
function Offline() {
  const offline = useSignal(!navigator.onLine);
  useEffect(() => {
    const look = () => (offline.value = !navigator.onLine);
    const names = ['online', 'offline'] as const;
    for (const name of names) window.addEventListener(name, look);
    return () => names.forEach((name) => window.removeEventListener(name, look));
  }, []);
  return offline.value ? (
    <p class="notice" role="status">
      There is no network. Answers go on at the server, and are read from where they were when it is back.
    </p>
  ) : null;
}
