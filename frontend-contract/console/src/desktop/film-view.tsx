/** The film of a desktop: each action with the screen before and after it, to be leafed through and played. */

import type { DesktopView, FrameView } from '@cartrita/client';
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';

import { IconButton, Problem } from '../parts/controls';
import { momentOf, secondsOf } from '../parts/sentences';
import { useConsole } from '../state/console';
import { Film } from '../state/film';
import { inWords } from './actions';
import { Picture } from './picture';
import { useRepeatedly } from './repeatedly';

const EVERY_MS = 3_000;

export function FilmView({ desktop }: { desktop: DesktopView }) {
  const { api } = useConsole();
  const film = useMemo(() => new Film(api, desktop.id), [api, desktop.id]);
  const alive = desktop.live_url !== null;
  useEffect(() => () => film.pause(), [film]);
  useRepeatedly(
    async () => {
      const known = film.frames.peek() !== null;
      if (!known || (alive && film.complete.peek())) await film.read(false);
    },
    EVERY_MS,
    [film, alive],
  );
  const frames = film.frames.value;
  const frame = film.frame.value;
  const problem = film.patience.problem.value;
  return (
    <div class="film">
      <Problem text={problem} />
      {frames === null && !problem && <p role="status">One moment …</p>}
      {frames?.length === 0 && <p class="notice">Nothing has been done on this desktop yet.</p>}
      {frame && <Frame film={film} frame={frame} />}
      {frame && <Player film={film} />}
      {frames && frames.length > 0 && <Strip film={film} frames={frames} />}
      {frames && frames.length > 0 && (
        <p>
          <a class="button" href={`/api/desktops/${encodeURIComponent(desktop.id)}/film`} download>
            Export as ZIP
          </a>
        </p>
      )}
    </div>
  );
}

function Frame({ film, frame }: { film: Film; frame: FrameView }) {
  const side = film.side.value;
  const { before_url: before, after_url: after, marker, actor, error, approved_by: approver } = frame;
  const url = (side === 'before' ? before : after) ?? after ?? before;
  const isBefore = url === before && url !== after;
  const shown = isBefore ? 'before' : 'after';
  return (
    <figure class="frame-shown" aria-label={`Frame ${frame.index}`}>
      {url ? (
        <Picture url={url} label={`The screen ${shown} it`} markers={marker && (side === 'before' || before === null) ? [marker] : []} />
      ) : (
        <p class="picture none">There is no picture of this.</p>
      )}
      <figcaption>
        <p>
          <b>{frame.index}.</b> {inWords(frame.action)}
        </p>
        <p class="quiet">
          {[
            actor === 'agent' ? 'Agent' : 'Person',
            momentOf(frame.at),
            frame.duration_ms > 0 && secondsOf(frame.duration_ms / 1000),
            approver && 'approved by a person',
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
        {error && <p class="problem">{error}</p>}
      </figcaption>
    </figure>
  );
}

function Player({ film }: { film: Film }) {
  const at = film.at.value;
  const count = film.frames.value?.length ?? 0;
  const side = film.side.value;
  const last = at >= count - 1 && film.complete.value;
  const go = (to: number) => {
    film.pause();
    film.go(to);
  };
  const look = (to: 'before' | 'after') => {
    film.pause();
    film.side.value = to;
  };
  return (
    <div class="row player" role="group" aria-label="Player">
      <IconButton icon="left" label="Earlier" disabled={at === 0} onClick={() => go(at - 1)} />
      {film.playing.value ? (
        <IconButton icon="pause" label="Pause" onClick={() => film.pause()} />
      ) : (
        <IconButton icon="play" label="Play" onClick={() => film.play()} />
      )}
      <IconButton icon="right" label="Later" disabled={last} onClick={() => go(at + 1)} />
      <input
        type="range"
        aria-label="Place in the film"
        aria-valuetext={`${at + 1} of ${count}`}
        min={1}
        max={count}
        value={at + 1}
        onInput={(event) => go(Number(event.currentTarget.value) - 1)}
      />
      <span class="tally">
        {at + 1} of {count}
        {!film.complete.value && ' and more'}
      </span>
      <span class="row sides" role="group" aria-label="Which picture">
        {(['before', 'after'] as const).map((each) => (
          <button key={each} type="button" aria-pressed={side === each} onClick={() => look(each)}>
            {each === 'before' ? 'Before' : 'After'}
          </button>
        ))}
      </span>
    </div>
  );
}

function Strip({ film, frames }: { film: Film; frames: readonly FrameView[] }) {
  const list = useRef<HTMLOListElement>(null);
  const at = film.at.value;
  const reading = useSignal(false);
  useEffect(() => {
    const item = list.current?.children[at];
    if (item instanceof HTMLElement) list.current?.scrollTo({ left: item.offsetLeft - list.current.clientWidth / 2 });
  }, [at]);
  const more = async () => {
    reading.value = true;
    await film.read();
    reading.value = false;
  };
  return (
    <ol class="strip" aria-label="Frames" ref={list} tabIndex={0}>
      {frames.map((each, index) => (
        <li key={each.index}>
          <button
            type="button"
            aria-current={index === at ? 'true' : undefined}
            onClick={() => {
              film.pause();
              film.go(index);
            }}
          >
            {each.after_url ? <img src={each.after_url} alt="" loading="lazy" /> : <span class="none" />}
            <small>
              {each.index}. {inWords(each.action)}
            </small>
          </button>
        </li>
      ))}
      {!film.complete.value && (
        <li>
          <button type="button" disabled={reading.value} onClick={() => void more()}>
            Show more
          </button>
        </li>
      )}
    </ol>
  );
}
