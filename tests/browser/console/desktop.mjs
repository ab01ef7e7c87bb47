/** What the tests of desktops have in common: a model that plays steps, and what is seen of a screen. */

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ask, given } from './browser.mjs';

const WATCHDOG_MS = 180_000;
const PAUSE_MS = 50;
export const LOOK = { type: 'screenshot' };
export const MENU = { type: 'click', at: { x: 1100, y: 700 }, button: 'right' };
/** The background of the desktop, and there the menu of two programs, of which the first one is the terminal. */
export const OPEN_TERMINAL = [MENU, { type: 'key', keys: ['Down'], times: 3 }, { type: 'key', keys: ['Return'] }];

export const computer = (actions) => ({ name: 'computer', arguments: { actions } });

/** What the model answers to the next requests, and to no others: with a call of a tool, or with words. */
export async function plays(...steps) {
  await fetch(`${given('MODEL_CONTROL')}/_script`, { method: 'DELETE' });
  for (const step of steps) {
    const script = typeof step === 'string' ? { text: step } : { tool_calls: [step], insist: true };
    const init = { method: 'POST', body: JSON.stringify({ script }) };
    assert.equal((await fetch(`${given('MODEL_CONTROL')}/_script`, init)).status, 200);
  }
}

export const task = (page) => page.getByRole('textbox', { name: 'Task' });
export const decision = (page) => page.getByRole('region', { name: 'Decision on computer' });
export const takeOver = (page) => page.getByRole('button', { name: 'Take over' });
export const handBack = (page) => page.getByRole('button', { name: 'Hand back' });

export async function connected(page) {
  await page.getByText(/^Connected/).waitFor();
}

/** Ends what runs, so that the next test has room. */
export async function endAll(page) {
  const { items } = await ask(page, '/api/desktops');
  for (const { id, live_url: url } of items) if (url) await page.evaluate((id) => fetch(`/api/desktops/${id}`, { method: 'DELETE' }), id);
}

/** Waits until so many cells of the screen are not as they were. */
export async function changes(page, before, least) {
  await until(async () => differing(await seen(page), before) >= least, 'the screen does not change');
}

function differing(one, other) {
  return one.filter((each, index) => Math.abs(each - other[index]) > 24).length;
}

/** How bright the screen is that is shown, cell by cell. */
export async function seen(page) {
  return page.evaluate(cells);
}

function cells() {
  const small = document.createElement('canvas');
  small.width = 64;
  small.height = 40;
  const context = small.getContext('2d');
  context.drawImage(document.querySelector('.live canvas'), 0, 0, 64, 40);
  const { data } = context.getImageData(0, 0, 64, 40);
  return Array.from({ length: 64 * 40 }, (_, index) => data[4 * index] + data[4 * index + 1] + data[4 * index + 2]);
}

/** Has the terminal write down, in a file of this name, what is typed from now on, line by line. */
export async function writesDown(page, name) {
  await until(async () => {
    await page.keyboard.type('touch begun\n');
    return (await written('begun')) !== null;
  }, 'the shell has not the keyboard');
  await page.keyboard.type(`tee ${name}\n`);
  await until(async () => (await written(name)) !== null, `no desktop has ${name}`);
}

/** The first line of a file of this name on a desktop. */
export async function firstLine(name) {
  const text = await until(async () => {
    const found = await written(name);
    return found?.includes('\n') && found;
  }, `nothing is written in ${name}`);
  return text.split('\n')[0];
}

/** What is in a file of this name on a desktop; null if there is none. */
async function written(name) {
  for (const pid of await readdir('/proc')) {
    const program = await readFile(join('/proc', pid, 'comm'), 'utf-8').catch(() => '');
    if (program.trim() !== 'openbox') continue;
    const text = await readFile(join('/proc', pid, 'root/home/desktop', name), 'utf-8').catch(() => null);
    if (text !== null) return text;
  }
  return null;
}

export async function until(look, otherwise) {
  const end = Date.now() + WATCHDOG_MS;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(otherwise);
  }
}
