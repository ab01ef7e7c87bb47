/** Desktops: the list of them, or one of them with its screen or its film. */

import type { DesktopView } from '@cartrita/client';
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { Icon, Problem } from '../parts/controls';
import { momentOf } from '../parts/sentences';
import { useConsole } from '../state/console';
import { desktopAddress, type DesktopRoute } from '../state/router';
import { useRepeatedly } from './repeatedly';
import { TaskForm, type Choices } from './task-form';
import { Workbench } from './workbench';

const EVERY_MS = 5_000;

export function DesktopsView({ route }: { route: DesktopRoute }) {
  const { desktopId, film } = route;
  return desktopId ? <Workbench key={desktopId} desktopId={desktopId} film={film} /> : <Overview />;
}

function Overview() {
  const { desktops } = useConsole();
  const items = desktops.items.value;
  useRepeatedly(() => desktops.refresh(), EVERY_MS);
  return (
    <div class="report desktops">
      <Begin />
      <Problem text={desktops.problem.value || desktops.reading.problem.value} />
      {items?.length === 0 && <p class="quiet">There are no desktops yet.</p>}
      <ul class="desktop-list" aria-label="Desktops">
        {items?.map((each) => (
          <Item key={each.id} desktop={each} />
        ))}
      </ul>
      {desktops.nextCursor.value !== null && (
        <button type="button" onClick={() => void desktops.more()}>
          Show more
        </button>
      )}
    </div>
  );
}

/** A task on a new desktop, or a new desktop to be used by oneself. */
function Begin() {
  const { chat, desktops, router } = useConsole();
  const busy = useSignal(false);
  const begun = useSignal(false);
  const left = useRef(false);
  useEffect(() => void chat.open(null), [chat]);
  useEffect(() => () => void (left.current = true), []);
  const goTo = async (started: Promise<string | undefined>) => {
    busy.value = true;
    const id = await started;
    busy.value = false;
    begun.value = false;
    if (id && !left.current) router.go(desktopAddress(id));
  };
  // The server starts a desktop only for a task that it takes.
  const begin = async (text: string, choices: Choices) => {
    await chat.open(null);
    const conversationId = await chat.doTask(text, choices);
    if (conversationId === null) return undefined;
    begun.value = true;
    return desktops.latestOf(conversationId, () => !left.current);
  };
  return (
    <section class="card" aria-label="A new task">
      <h2>A task for an agent on a desktop</h2>
      <TaskForm
        busy={busy.value}
        action="Begin on a new desktop"
        onTask={(text, choices) => void goTo(begin(text, choices))}
      />
      <Problem text={chat.problem.value} />
      {begun.value && <p role="status">The task has begun. Its desktop is shown as soon as it is known.</p>}
      <button type="button" class="quiet" disabled={busy.value} onClick={() => void goTo(desktops.start())}>
        Start a desktop without a task
      </button>
    </section>
  );
}

function Item({ desktop }: { desktop: DesktopView }) {
  const { id, created_at: created, isolation, reason } = desktop;
  return (
    <li class="card">
      <div class="row between">
        <a href={desktop.live_url === null ? desktopAddress(id, '/film') : desktopAddress(id)}>
          Desktop of {momentOf(created)} <span class="unseen">{id}</span>
        </a>
        <StateBadge desktop={desktop} />
      </div>
      <p class="quiet">
        {reason ?? `Ends at ${momentOf(desktop.expires_at)} at the latest, and sooner if nobody uses it. Isolation: ${isolation}.`}{' '}
        <a href={desktopAddress(id, '/film')}>Film</a>
      </p>
    </li>
  );
}

export function StateBadge({ desktop: { status, control } }: { desktop: DesktopView }) {
  if (status === 'failed') return <span class="badge bad">failed</span>;
  if (status === 'stopped') return <span class="badge">ended</span>;
  if (status === 'starting') return <span class="badge">starting</span>;
  if (!control) return <span class="badge good">running</span>;
  return (
    <span class="badge">
      <Icon name="person" /> {control.mine ? 'you control it' : 'somebody controls it'}
    </span>
  );
}
