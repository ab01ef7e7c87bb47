/** The screen of a desktop as it is now; whoever has taken it over uses it here. */

import type { DesktopView } from '@cartrita/client';
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

import { Problem } from '../parts/controls';
import { useConsole } from '../state/console';
import { LiveScreen } from '../state/live-screen';

export function LiveView({ desktop }: { desktop: DesktopView }) {
  const address = desktop.live_url;
  if (address === null) return <p class="notice">This desktop has ended. {desktop.reason}</p>;
  return <Live key={address} desktop={desktop} address={address} />;
}

function Live({ desktop, address }: { desktop: DesktopView; address: string }) {
  const { api } = useConsole();
  const place = useRef<HTMLDivElement>(null);
  const controls = useRef<HTMLDivElement>(null);
  const screen = useSignal<LiveScreen | null>(null);
  const mine = desktop.control?.mine ?? false;
  useEffect(() => {
    if (!place.current) return;
    const made = new LiveScreen(api, address, place.current);
    screen.value = made;
    return () => made.leave();
  }, [address]);
  // Before the page shows who has the control: a key that is pressed as soon as it does is not lost.
  useLayoutEffect(() => {
    if (!screen.value) return;
    screen.value.viewOnly = !mine;
    if (!mine) return;
    place.current?.scrollIntoView({ block: 'nearest' });
    screen.value.focus();
  }, [mine, screen.value]);
  const leave = (event: KeyboardEvent) => {
    if (event.key !== 'Home' || !event.ctrlKey || !event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    screen.value?.releaseKeys();
    controls.current?.querySelector('button')?.focus();
  };
  return (
    <>
      <div ref={controls}>
        <Control desktop={desktop} />
      </div>
      <div class={mine ? 'live mine' : 'live'} role="group" aria-label="The screen" onKeyDownCapture={leave}>
        <div ref={place} class="live-place" />
      </div>
      <Connection screen={screen.value} />
    </>
  );
}

function Connection({ screen }: { screen: LiveScreen | null }) {
  const latency = screen?.latency.value ?? null;
  const sentence = {
    connecting: 'Connecting …',
    lost: 'The connection is lost. Connecting again …',
    refused: 'The server does not understand this page, which therefore does not try again. Reload it.',
    shown: latency === null ? 'Connected' : `Connected, ${Math.round(latency)} ms from here to the screen and back`,
  }[screen?.state.value ?? 'connecting'];
  return (
    <>
      <p class="quiet connection">{sentence}</p>
      <Problem text={screen?.patience.problem.value ?? ''} />
    </>
  );
}

function Control({ desktop }: { desktop: DesktopView }) {
  const { desktops } = useConsole();
  const busy = useSignal(false);
  const { id, control } = desktop;
  const doing = async (work: () => Promise<unknown>) => {
    busy.value = true;
    await work();
    busy.value = false;
  };
  const handBack = (event: Event) => {
    event.preventDefault();
    const note = String(new FormData(event.currentTarget as HTMLFormElement).get('note')).trim();
    void doing(() => desktops.handBack(id, note));
  };
  if (control?.mine) {
    return (
      <form class="row control" onSubmit={handBack}>
        <p>
          You control the desktop: no agent acts or looks until you hand it back. <kbd>Ctrl</kbd>+<kbd>Alt</kbd>+<kbd>Home</kbd>{' '}
          leads from the screen to the button.
        </p>
        <div class="row">
          <input name="note" aria-label="Note for the film" placeholder="Note for the film" maxLength={1_000} />
          <button class="primary" disabled={busy.value}>
            Hand back
          </button>
        </div>
      </form>
    );
  }
  return (
    <div class="row control">
      <p>{control ? 'Somebody else controls the desktop: no agent acts or looks.' : 'You are watching. Agents may use the desktop.'}</p>
      <button type="button" disabled={busy.value || control !== null} onClick={() => void doing(() => desktops.take(id))}>
        {busy.value ? 'Waiting for the action to end …' : 'Take over'}
      </button>
    </div>
  );
}
