/** Actions on a desktop in words, exactly: what a person decides on, and what a film tells. */

import { written } from '../parts/sentences';

export const COMPUTER = 'computer';
export const HAND_OVER = 'ask_for_hand_over';

type Action = Readonly<Record<string, unknown>>;

/** What a vendor wants a person to look at before an action. */
export interface SafetyCheck {
  readonly id: string;
  readonly code?: string;
  readonly message?: string;
}

export function actionsOf(given: unknown): readonly Action[] {
  const { actions } = objectOf(given);
  return Array.isArray(actions) ? actions.map(objectOf) : [];
}

export function checksOf(given: unknown): readonly SafetyCheck[] {
  const { checks } = objectOf(given);
  return Array.isArray(checks) ? checks.map((each) => objectOf(each) as unknown as SafetyCheck) : [];
}

export function inWords(action: Action): string {
  const words = WORDS[String(action['type'])];
  return words ? words(action) : written(action);
}

const WORDS: Readonly<Record<string, (action: Action) => string>> = {
  screenshot: () => 'Look at the screen',
  zoom: ({ area }) => `Look closely at the area from ${corner(area, 'left', 'top')} to ${corner(area, 'right', 'bottom')}`,
  cursor_position: () => 'Ask where the pointer is',
  move: ({ at }) => `Move the pointer to ${place(at)}`,
  click: ({ at, button, times, keys }) => `${CLICKS[Number(times ?? 1)]}${withButton(button)}${where(at)}${holding(keys)}`,
  press: ({ button }) => `Press the ${button ?? 'left'} button and hold it down`,
  release: ({ button }) => `Release the ${button ?? 'left'} button`,
  drag: ({ path, keys }) => `Drag from ${listOf(path).map(place).join(' to ')}${holding(keys)}`,
  scroll: ({ down, right, at, keys }) => `Scroll ${wheel(Number(down ?? 0), Number(right ?? 0))}${where(at)}${holding(keys)}`,
  type: ({ text, secret }) => (secret ? `Type the secret ${JSON.stringify(secret)}` : `Type ${JSON.stringify(text ?? '')}`),
  key: ({ keys, times }) => `Press ${chord(keys)}${Number(times ?? 1) > 1 ? `, ${times} times` : ''}`,
  hold_key: ({ keys, seconds }) => `Hold ${chord(keys)} for ${seconds} s`,
  wait: ({ seconds }) => `Wait for ${seconds ?? 1} s`,
  take_over: ({ note }) => `Took the desktop over${noted(note)}`,
  hand_back: ({ note }) => `Handed the desktop back${noted(note)}`,
};

const CLICKS: Readonly<Record<number, string>> = { 1: 'Click', 2: 'Double-click', 3: 'Triple-click' };

function withButton(button: unknown): string {
  return button && button !== 'left' ? ` with the ${button} button` : '';
}

function where(at: unknown): string {
  return at ? ` at ${place(at)}` : ' where the pointer is';
}

function place(point: unknown): string {
  const { x, y } = objectOf(point);
  return `(${x}, ${y})`;
}

function corner(area: unknown, across: string, down: string): string {
  const told = objectOf(area);
  return `(${told[across]}, ${told[down]})`;
}

function wheel(down: number, right: number): string {
  const parts = [
    down && `${down > 0 ? 'down' : 'up'} by ${Math.abs(down)}`,
    right && `${right > 0 ? 'right' : 'left'} by ${Math.abs(right)}`,
  ];
  return parts.filter(Boolean).join(' and ') || 'by nothing';
}

function holding(keys: unknown): string {
  return listOf(keys).length > 0 ? ` while ${chord(keys)} is held` : '';
}

function chord(keys: unknown): string {
  return listOf(keys).join('+');
}

function noted(note: unknown): string {
  return note ? `: ${note}` : '';
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function objectOf(value: unknown): Action {
  return typeof value === 'object' && value !== null ? (value as Action) : {};
}
