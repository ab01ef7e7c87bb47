/** Small controls: icons, menus, dialogs, copying. */

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

const PATHS = {
  archive: 'M3 4h18v4H3zM5 8v12h14V8M10 12h4',
  attach: 'M8 13l6-6a3 3 0 0 1 4 4l-8 8a5 5 0 0 1-7-7l8-8',
  check: 'M4 12l5 5L20 6',
  close: 'M6 6l12 12M18 6L6 18',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  edit: 'M4 20h4L20 8l-4-4L4 16z',
  left: 'M15 5l-7 7 7 7',
  menu: 'M4 6h16M4 12h16M4 18h16',
  microphone: 'M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM5 11a7 7 0 0 0 14 0M12 18v3',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  pause: 'M8 5v14M16 5v14',
  person: 'M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM5 20a7 7 0 0 1 14 0',
  pin: 'M9 3h6l-1 6 4 4H6l4-4zM12 13v8',
  play: 'M8 5l11 7-11 7z',
  plus: 'M12 5v14M5 12h14',
  retry: 'M20 11a8 8 0 1 0-2 6M20 4v7h-7',
  right: 'M9 5l7 7-7 7',
  send: 'M12 20V5M6 11l6-6 6 6',
  silent: 'M4 9v6h4l5 4V5L8 9zM17 9l5 6M22 9l-5 6',
  stop: 'M6 6h12v12H6z',
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

interface IconButtonProps {
  readonly icon: keyof typeof PATHS;
  readonly label: string;
  readonly disabled?: boolean;
  readonly onClick: () => void;
}

export function IconButton({ icon, label, disabled = false, onClick }: IconButtonProps) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} disabled={disabled} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

export function CopyButton({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return <IconButton icon={copied ? 'check' : 'copy'} label={copied ? 'Copied' : 'Copy'} onClick={() => void copy()} />;
}

/** A `details` that closes by Escape, and when something outside of it is clicked or gets the focus. */
export function useDisclosure() {
  const element = useRef<HTMLDetailsElement>(null);
  const close = () => {
    if (element.current) element.current.open = false;
  };
  useEffect(() => {
    const outside = ({ target }: Event) => !element.current?.contains(target as Node) && close();
    const left = ['pointerdown', 'focusin'];
    left.forEach((name) => document.addEventListener(name, outside));
    return () => left.forEach((name) => document.removeEventListener(name, outside));
  }, []);
  return { element, close, onKeyDown: ({ key }: KeyboardEvent) => key === 'Escape' && close() };
}

/** A disclosure that closes when something in it is chosen, too. */
export function Menu({ label, children }: { label: string; children: ComponentChildren }) {
  const { element, close, onKeyDown } = useDisclosure();
  return (
    <details class="menu" ref={element} onKeyDown={onKeyDown}>
      <summary class="icon-button" aria-label={label} title={label}>
        <Icon name="more" />
      </summary>
      <div class="menu-items" onClick={close}>
        {children}
      </div>
    </details>
  );
}

interface DialogProps {
  readonly title: string;
  readonly action: string;
  readonly dangerous?: boolean;
  readonly onDone: (form: FormData) => void;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Dialog({ title, action, dangerous = false, onDone, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => element.current?.showModal(), []);
  const submit = (event: Event) => {
    event.preventDefault();
    onDone(new FormData(event.currentTarget as HTMLFormElement));
    element.current?.close();
  };
  return (
    <dialog ref={element} aria-labelledby="dialog-title" onClose={onClose}>
      <form onSubmit={submit}>
        <h2 id="dialog-title">{title}</h2>
        {children}
        <div class="row end">
          <button type="button" onClick={() => element.current?.close()}>
            Cancel
          </button>
          <button class={dangerous ? 'dangerous' : 'primary'}>{action}</button>
        </div>
      </form>
    </dialog>
  );
}

export function Problem({ text }: { text: string }) {
  return text ? (
    <p class="problem" role="alert">
      {text}
    </p>
  ) : null;
}
