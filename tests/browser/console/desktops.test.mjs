/** Desktops in the console: an agent is watched, decided on, relieved, stopped, and seen again in its film. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { ask, BASE, cuttable, messageBox, onPage, say, useBrowser } from './browser.mjs';
import {
  changes,
  computer,
  connected,
  decision,
  endAll,
  firstLine,
  handBack,
  LOOK,
  OPEN_TERMINAL,
  plays,
  seen,
  takeOver,
  task,
  until,
  writesDown,
} from './desktop.mjs';
import { judged, SIZES } from './judging.mjs';

useBrowser();
/** The first byte of what a viewer says. */
const QUESTION = 3;
const KEY_EVENT = 4;
/** Of the time for which the control is given: then the page takes it again. */
const A_THIRD_MS = 200_001;

async function started(page, base = BASE) {
  await page.goto(`${base}/#/desktop`);
  await page.getByRole('button', { name: 'Start a desktop without a task' }).click();
  await connected(page);
  return page.url().split('/desktop/')[1];
}

/** By hand, as whoever has the control does it; the screen says when the terminal is there. */
async function openTerminal(page) {
  const { x, y, width, height } = await page.locator('.live canvas').boundingBox();
  let before = await seen(page);
  await page.mouse.click(x + 0.86 * width, y + 0.7 * height, { button: 'right' });
  await changes(page, before, 4);
  before = await seen(page);
  for (const key of ['ArrowDown', 'Enter']) await page.keyboard.press(key);
  await changes(page, before, 200);
}

test('a task from elsewhere is watched, approved, taken over, handed back, and replayed', () =>
  onPage(async (page) => {
    const wait = { type: 'wait', seconds: 0.1 };
    const asks = { name: 'ask_for_hand_over', arguments: { reason: 'Please write the greeting yourself.' } };
    await plays(computer([LOOK]), computer([...OPEN_TERMINAL, wait]), asks, computer([LOOK]), 'The greeting is there.');
    await page.goto(`${BASE}/#/desktop`);
    await page.getByRole('button', { name: 'Begin on a new desktop' }).waitFor();
    const given = { task: 'Open the terminal.', model: 'openai/fake', stream: true };
    await page.evaluate((given) => {
      const headers = { 'Content-Type': 'application/json' };
      void fetch('/api/computer-use/execute', { method: 'POST', headers, body: JSON.stringify(given) });
    }, given);
    await page.getByRole('listitem').filter({ hasText: 'running' }).getByRole('link', { name: /^Desktop of/ }).click();
    await connected(page);
    const id = page.url().split('/desktop/')[1];

    await page.waitForFunction(() => document.querySelector('.approval img')?.naturalWidth === 1280);
    const steps = decision(page).getByRole('list', { name: 'What it would do' });
    assert.deepEqual(await steps.getByRole('listitem').allInnerTexts(), [
      'Click with the right button at (1100, 700)', 'Press Down, 3 times', 'Press Return', 'Wait for 0.1 s',
    ]);
    const [picture, ring] = await Promise.all(
      ['.approval .picture', '.approval .ring'].map((each) => page.locator(each).boundingBox()),
    );
    assert.ok(Math.abs((ring.x + ring.width / 2 - picture.x) / picture.width - 1100 / 1280) < 0.01);
    assert.ok(Math.abs((ring.y + ring.height / 2 - picture.y) / picture.height - 700 / 800) < 0.01);
    await judged(page, 'desktop-approval');
    assert.deepEqual((await ask(page, `/api/desktops/${id}/frames`)).items.map((each) => each.action.type), ['screenshot']);
    const before = await seen(page);
    await decision(page).getByRole('button', { name: 'Approve' }).click();
    await changes(page, before, 200);

    const asked = page.getByRole('region', { name: 'The agent asks you to take over' });
    await asked.getByText('Please write the greeting yourself.').waitFor();
    await asked.getByRole('button', { name: 'Take over' }).click();
    await handBack(page).waitFor();
    await writesDown(page, 'greeting.txt');
    await page.keyboard.type('Good morning\n');
    assert.equal(await firstLine('greeting.txt'), 'Good morning');
    await judged(page, 'desktop-taken-over');
    await page.getByLabel('Note for the film').fill('Written by hand');
    await handBack(page).click();
    await page.getByText('The greeting is there.').waitFor();
    await takeOver(page).waitFor();

    await page.getByRole('link', { name: 'Film', exact: true }).click();
    const frames = page.getByRole('list', { name: 'Frames' }).getByRole('listitem');
    await page.getByText('1 of 8').waitFor();
    assert.deepEqual(await frames.allInnerTexts(), [
      '1. Look at the screen', '2. Click with the right button at (1100, 700)', '3. Press Down, 3 times', '4. Press Return',
      '5. Wait for 0.1 s', '6. Took the desktop over', '7. Handed the desktop back: Written by hand', '8. Look at the screen',
    ]);
    await page.getByRole('button', { name: 'Later' }).click();
    assert.match(await page.locator('.frame-shown figcaption').innerText(), /approved by a person/);
    assert.equal(await page.locator('.frame-shown .ring').count(), 0, 'after it there is no marker');
    await page.getByRole('button', { name: 'Before' }).click();
    await page.locator('.frame-shown .ring').waitFor();
    await judged(page, 'desktop-film');
    await page.getByRole('button', { name: 'Play' }).click();
    await page.getByText('8 of 8').waitFor();
    await page.getByRole('button', { name: 'Play' }).waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export as ZIP' }).click()]);
    assert.equal((await readFile(await download.path())).subarray(0, 2).toString(), 'PK');
    await endAll(page);
  }));

test('who has not taken it over changes nothing, even on a page that believes otherwise', () =>
  onPage(async (page) => {
    const keys = [];
    const opened = page.waitForEvent('websocket', (each) => each.url().includes('/ws/desktop/'));
    const id = await started(page);
    const socket = await opened;
    socket.on('framesent', ({ payload }) => payload[0] === KEY_EVENT && keys.push(payload));
    await takeOver(page).click();
    await handBack(page).waitFor();
    await openTerminal(page);
    await writesDown(page, 'honest.txt');
    await handBack(page).click();
    await takeOver(page).waitFor();

    keys.length = 0;
    await page.locator('.live canvas').focus();
    await page.keyboard.type('watched');
    assert.deepEqual(keys, []);
    const control = { mine: true, expires_at: new Date(Date.now() + 3_600_000).toISOString() };
    const lie = async (route) => {
      const answer = await route.fetch(route.request().method() === 'POST' ? { method: 'GET', url: `${BASE}/api/desktops/${id}` } : {});
      await route.fulfill({ json: { ...(await answer.json()), control } });
    };
    await page.route(`**/api/desktops/${id}`, lie);
    await page.route('**/control', lie);
    await takeOver(page).click();
    await handBack(page).waitFor();
    await page.keyboard.type('lied');
    await until(() => keys.length === 8, 'the page sends no keys');
    await socket.waitForEvent('framesent', ({ payload }) => payload[0] === QUESTION && payload[1] === 0);
    await socket.waitForEvent('framereceived'); // what was sent before the question has been looked at
    await page.unrouteAll({ behavior: 'wait' }); // what is being answered is answered to its end
    await takeOver(page).click();
    await handBack(page).waitFor();
    await page.keyboard.type('honest\n');
    assert.equal(await firstLine('honest.txt'), 'honest');

    await page.keyboard.press('Control+Alt+Home');
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Hand back', 'the keyboard leads out');
    await endAll(page);
    await page.getByText('This desktop has ended.').waitFor();
  }));

test('after a cut the screen comes back by a ticket of its own, and who has the control keeps it', async () => {
  const way = await cuttable();
  await onPage(async (page) => {
    const sockets = [];
    const takenAgain = async (cause) => {
      const answered = page.waitForResponse((each) => each.url().endsWith('/control') && each.ok());
      await cause();
      await answered;
    };
    page.on('websocket', (each) => each.url().includes('/ws/desktop/') && sockets.push(new URL(each.url()).searchParams.get('ticket')));
    await page.clock.install();
    await started(page, way.base);
    await takeOver(page).click();
    await handBack(page).waitFor();
    await takenAgain(() => page.clock.fastForward(A_THIRD_MS));
    await way.cut();
    await page.getByText('The connection is lost').waitFor();
    await way.restore();
    await connected(page);
    await page.getByText(/\d ms from here/).waitFor();
    await takenAgain(() => page.clock.fastForward(A_THIRD_MS));
    assert.ok(await handBack(page).isVisible());
    await takenAgain(() => page.reload());
    await connected(page);
    assert.ok(await handBack(page).isVisible());
    assert.ok(sockets.length > 1 && sockets.every(Boolean) && new Set(sockets).size === sockets.length, String(sockets));
    await endAll(page);
  }, { base: way.base });
  await way.cut();
});

test('a page that the server does not understand tries no more', () =>
  onPage(async (page) => {
    let opened = 0;
    page.on('websocket', (each) => (opened += each.url().includes('/ws/desktop/') ? 1 : 0));
    await page.clock.install();
    await page.goto(`${BASE}/#/desktop`);
    await page.evaluate(() => {
      const { send } = WebSocket.prototype;
      WebSocket.prototype.send = function () {
        send.call(this, new TextEncoder().encode('GET / HTTP/1.1\r\n'));
      };
    });
    await page.getByRole('button', { name: 'Start a desktop without a task' }).click();
    await page.getByText('does not try again').waitFor();
    await page.clock.fastForward('10:00');
    await page.evaluate(() => fetch('/api/desktops')); // what would have been begun has been by now
    assert.equal(opened, 1);
    await endAll(page);
  }));

test('a conversation shows what is asked on its desktop, and an agent is stopped', () =>
  onPage(async (page) => {
    const call = (actions, more) => ({ name: 'computer_call', arguments: { actions, ...more } });
    const checks = [{ id: 'check_1', code: 'malicious_instructions', message: 'The page may try to steer the model.' }];
    const waits = Array.from({ length: 60 }, () => ({ type: 'wait' }));
    const moves = [{ type: 'move', x: 10, y: 10, keys: null }];
    await plays(call([LOOK]), call(moves, { pending_safety_checks: checks }), call([LOOK, ...waits]));
    await page.getByText('Options').click();
    await page.getByLabel('Agent', { exact: false }).first().selectOption('computer_use');
    await page.getByLabel('Model').selectOption('openai/gpt-5.4');
    await say(page, 'Look around.');
    const shown = decision(page).getByRole('list', { name: 'Checks of the vendor' });
    assert.match(await shown.innerText(), /The page may try to steer the model\. malicious_instructions/);
    await judged(page, 'desktop-checks');
    await decision(page).getByRole('button', { name: 'Deny' }).click();
    await page.getByRole('link', { name: 'Watch it' }).click();
    await connected(page);
    await page.getByText(/Look at the screen, Wait for/).waitFor();
    await judged(page, 'desktop-narrow');
    await page.getByRole('button', { name: 'Stop the agent' }).click();
    await page.getByRole('button', { name: 'Stop the agent' }).waitFor({ state: 'detached' });
    assert.ok(await task(page).isVisible());
    await page.getByRole('button', { name: 'End' }).click();
    await page.getByRole('button', { name: 'End it' }).click();
    await page.getByText('This desktop has ended.').waitFor();
    await page.getByRole('link', { name: 'Its conversation' }).click();
    await messageBox(page).waitFor();
  }, { colorScheme: 'dark', viewport: SIZES.narrow }));
