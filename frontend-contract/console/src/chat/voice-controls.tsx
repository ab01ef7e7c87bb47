/** Speaking instead of writing: the microphone, what it hears, and silence when there was enough. */

import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import { Icon, IconButton } from '../parts/controls';
import type { Choices } from '../state/chat';
import { useConsole } from '../state/console';

/** Who holds the button for longer speaks until it is let go. */
const HELD_MS = 400;

export function MicrophoneButton({ choices }: { choices: Choices }) {
  const { voice } = useConsole();
  /** When the press began that began to listen; 0 for one that ends it, or comes from the keyboard. */
  const pressed = useRef(0);
  useEffect(() => void voice.look(), [voice]);
  const hindrance = voice.hindrance.value;
  const listening = voice.listening.value;
  const label = hindrance || (listening ? 'Stop listening' : 'Speak: click, or hold while you speak');
  const down = ({ button, currentTarget, pointerId }: JSX.TargetedPointerEvent<HTMLButtonElement>) => {
    pressed.current = 0;
    if (button !== 0 || listening) return;
    currentTarget.setPointerCapture(pointerId);
    pressed.current = performance.now();
    void voice.begin(choices);
  };
  const up = () => {
    if (pressed.current > 0 && performance.now() - pressed.current > HELD_MS) voice.end();
  };
  const click = () => {
    if (pressed.current > 0) pressed.current = 0;
    else if (listening) voice.end();
    else void voice.begin(choices);
  };
  return (
    <button
      type="button"
      class={listening ? 'icon-button listening' : 'icon-button'}
      aria-label={label}
      aria-pressed={listening}
      title={label}
      disabled={hindrance !== ''}
      onPointerDown={down}
      onPointerUp={up}
      onPointerCancel={up}
      onClick={click}
    >
      <Icon name="microphone" />
    </button>
  );
}

/** What the microphone hears while it is on, what becomes of it, and the way to stop an answer that is spoken. */
export function Hearing() {
  const { voice } = useConsole();
  const heard = voice.heard.value;
  const state = voice.listening.value ? 'Listening …' : voice.finishing.value ? 'Transcribing …' : voice.speaking.value ? 'Speaking …' : '';
  if (!state && !heard) return null;
  return (
    <div class="row hearing">
      {voice.listening.value && <meter min={0} max={1} value={voice.level.value} aria-label="Loudness" />}
      <p>{heard || state}</p>
      {heard && voice.finishing.value && <small role="status">{state}</small>}
      {voice.speaking.value && <IconButton icon="silent" label="Stop speaking" onClick={() => voice.hush()} />}
    </div>
  );
}
