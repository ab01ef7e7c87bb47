/** One desktop: its screen or its film, who uses it, and what agents do there. */

import type { DesktopView } from '@cartrita/client';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { Announcer, Messages } from '../chat/chat-view';
import { Dialog, Problem } from '../parts/controls';
import { useConsole } from '../state/console';
import { addressOf, desktopAddress } from '../state/router';
import { StateBadge } from './desktops-view';
import { FilmView } from './film-view';
import { LiveView } from './live-view';
import { useRepeatedly } from './repeatedly';
import { TaskForm } from './task-form';

const EVERY_MS = 2_000;

export function Workbench({ desktopId, film }: { desktopId: string; film: boolean }) {
  const { chat, desktops } = useConsole();
  const desktop = desktops.shown.value;
  useEffect(() => {
    void desktops.open(desktopId);
    return () => desktops.leave();
  }, [desktopId]);
  useEffect(() => {
    if (desktop) void chat.open(desktop.conversation_id);
  }, [desktop?.conversation_id]);
  useRepeatedly(async () => {
    await desktops.look();
    await chat.lookForOthers();
  }, EVERY_MS, [desktopId]);
  if (!desktop) return <Unknown />;
  return (
    <div class="workbench">
      <section class="stage" aria-label="The desktop">
        <Bar desktop={desktop} film={film} />
        <Problem text={desktops.problem.value || desktops.keeping.problem.value} />
        {film ? <FilmView desktop={desktop} /> : <LiveView desktop={desktop} />}
      </section>
      <Work desktop={desktop} />
    </div>
  );
}

function Unknown() {
  const { desktops } = useConsole();
  return (
    <div class="report">
      {desktops.problem.value ? <Problem text={desktops.problem.value} /> : <p role="status">One moment …</p>}
      <a href="#/desktop">All desktops</a>
    </div>
  );
}

function Bar({ desktop, film }: { desktop: DesktopView; film: boolean }) {
  const { chat, desktops } = useConsole();
  const ending = useSignal(false);
  const alive = desktop.live_url !== null;
  return (
    <div class="row stage-bar">
      <a href="#/desktop">All desktops</a>
      <nav class="row" aria-label="Of this desktop">
        <a href={desktopAddress(desktop.id)} aria-current={film ? undefined : 'page'}>
          Screen
        </a>
        <a href={desktopAddress(desktop.id, '/film')} aria-current={film ? 'page' : undefined}>
          Film
        </a>
      </nav>
      <StateBadge desktop={desktop} />
      <span class="push" />
      {alive && chat.live.value.length > 0 && (
        <button type="button" class="dangerous" onClick={() => void desktops.stop(desktop.id)}>
          Stop the agent
        </button>
      )}
      {alive && (
        <button type="button" onClick={() => (ending.value = true)}>
          End
        </button>
      )}
      {ending.value && (
        <Dialog
          title="End the desktop?"
          action="End it"
          dangerous
          onDone={() => void desktops.end(desktop.id)}
          onClose={() => (ending.value = false)}
        >
          <p>All programs on it end, and what they hold is lost. Its film stays.</p>
        </Dialog>
      )}
    </div>
  );
}

/** What was asked of agents here and what they did: the conversation of the desktop. */
function Work({ desktop }: { desktop: DesktopView }) {
  const { chat } = useConsole();
  const nothing = <p class="centred">No agent has been given a task on this desktop yet.</p>;
  const busy = chat.live.value.length > 0;
  return (
    <section class="chat work" aria-label="Tasks">
      <div class="row between work-head">
        <h2>Tasks</h2>
        <a href={addressOf(desktop.conversation_id)}>Its conversation</a>
      </div>
      <Messages empty={nothing} />
      <Announcer />
      <div class="foot">
        <Problem text={chat.problem.value} />
        {desktop.live_url !== null && (
          <TaskForm
            busy={busy}
            action={busy ? 'An agent is at work' : 'Begin'}
            onTask={(text, choices) => void chat.doTask(text, { ...choices, desktopId: desktop.id })}
          />
        )}
      </div>
    </section>
  );
}
