/** Desktops in the console: tasks that are not taken, lists of several pages, and failures that pass. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ask, BASE, keyOfAnother, onPage, useBrowser } from './browser.mjs';
import { computer, connected, endAll, LOOK, plays, task, until } from './desktop.mjs';

useBrowser();
const EVERY_MS = 5_001;
/** So a server closes a screen on which nothing moves, and all of them when it stops. */
const IDLE = 4408;
const RESTARTS = 1001;
const FAILURE = { error: 'It broke.', detail: 'It broke.', code: 'internal', details: {}, request_id: 'req_1' };

async function overview(page) {
  await page.goto(`${BASE}/#/desktop`);
  await page.getByRole('button', { name: 'Begin on a new desktop' }).waitFor();
}

async function begin(page, text, model) {
  await page.getByLabel('Model').selectOption(model);
  await task(page).fill(text);
  await page.getByRole('button', { name: 'Begin on a new desktop' }).click();
}

/** Counts the problems that are shown from now on, also those that go again. */
async function counted(page) {
  await page.evaluate(() => {
    window.alarms = [];
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) {
        for (const node of addedNodes) if (node.matches?.('[role=alert]')) window.alarms.push(node.textContent);
      }
    }).observe(document.body, { childList: true, subtree: true });
  });
  return () => page.evaluate(() => window.alarms);
}

test('a task that the server does not take starts no desktop, and is given back', () =>
  onPage(async (page) => {
    const known = async () => (await ask(page, '/api/desktops')).items.length;
    const before = await known();
    await overview(page);
    await begin(page, 'Open the editor.', 'offline/assistant');
    await page.getByRole('alert').filter({ hasText: 'offline/assistant cannot use a desktop' }).waitFor();
    assert.equal(await task(page).inputValue(), 'Open the editor.');
    assert.ok(await page.getByRole('button', { name: 'Begin on a new desktop' }).isEnabled());
    assert.equal(await known(), before);
    assert.ok(page.url().endsWith('#/desktop'));
  }));

test('a task that is taken leads to the desktop that was started for it', () =>
  onPage(async (page) => {
    await plays(computer([LOOK]), 'There is nothing on it.');
    await overview(page);
    await begin(page, 'Say what there is.', 'openai/fake');
    await connected(page);
    await page.getByText('There is nothing on it.').waitFor();
    assert.equal(await task(page).inputValue(), '');
    const id = page.url().split('/desktop/')[1];
    const frames = await ask(page, `/api/desktops/${id}/frames`);
    assert.deepEqual(frames.items.map((each) => each.action.type), ['screenshot']);
    await endAll(page);
  }));

test('a task that has begun leads to its desktop, also where the list cannot be read just then', () =>
  onPage(async (page) => {
    await plays(computer([LOOK]), 'There is nothing on it.');
    await overview(page);
    let fails = true;
    await page.route('**/api/desktops?*', (route) => (fails ? route.fulfill({ status: 500, json: FAILURE }) : route.continue()));
    await begin(page, 'Say what there is.', 'openai/fake');
    await page.getByText('The task has begun.').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Begin on a new desktop' }).isDisabled());
    await page.waitForResponse('**/api/desktops?*');
    assert.ok(page.url().endsWith('#/desktop'));
    fails = false;
    await connected(page);
    await page.getByText('There is nothing on it.').waitFor();
    await endAll(page);
  }));

test('who went elsewhere while a desktop starts stays there', () =>
  onPage(async (page) => {
    await overview(page);
    const starts = turn();
    await page.route('**/api/desktops', async (route) => {
      await starts.over;
      await route.fulfill({ status: 201, json: desktop(1) });
    });
    await page.getByRole('button', { name: 'Start a desktop without a task' }).click();
    await page.getByRole('link', { name: 'Usage' }).click();
    await page.getByRole('heading', { name: 'By model' }).waitFor();
    const answered = page.waitForResponse('**/api/desktops');
    starts.end();
    await (await answered).finished();
    await settled(page);
    assert.ok(page.url().endsWith('#/usage'));
  }));

test('a list that comes after somebody else has signed in is not shown to them', () =>
  onPage(async (page, context) => {
    const other = await keyOfAnother('visitor');
    const turns = [turn(), turn()];
    let asked = 0;
    await page.route('**/api/desktops?*', async (route) => {
      const number = asked;
      asked += 1;
      await turns[number]?.over;
      await route.fulfill({ json: { items: number === 0 ? [desktop(7)] : [], next_cursor: null } });
    });
    await overview(page);
    await until(async () => asked === 1, 'the list is not asked for');
    await context.clearCookies();
    await page.getByRole('link', { name: 'Usage' }).click();
    await page.getByLabel('API key').fill(other);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'By model' }).waitFor();
    await page.getByRole('link', { name: 'Desktops' }).click();
    turns[0].end();
    await until(async () => asked === 2, 'the list is not asked for again');
    await settled(page);
    assert.equal(await page.getByText('desk_7').count(), 0);
    turns[1].end();
    await page.getByText('There are no desktops yet.').waitFor();
  }));

/** What was answered before has been shown by now. */
async function settled(page) {
  await page.evaluate(() => fetch('/api/desktops/desk_none'));
}

/** Something that waits until it is its turn. */
function turn() {
  let end;
  const over = new Promise((resolve) => (end = resolve));
  return { over, end };
}

function desktop(number, status = 'ready') {
  const at = new Date(Date.UTC(2026, 0, 1) - number * 60_000).toISOString();
  return {
    id: `desk_${number}`, conversation_id: `conv_${number}`, status, control: null, isolation: 'plain', reason: null,
    live_url: status === 'ready' ? `/ws/desktop/desk_${number}` : null, created_at: at, used_at: at, expires_at: at,
    width: 1280, height: 800,
  };
}

test('pages that "Show more" has brought are told anew, too', () =>
  onPage(async (page) => {
    const all = Array.from({ length: 120 }, (_, number) => desktop(number));
    await page.route('**/api/desktops?*', async (route) => {
      const { searchParams } = new URL(route.request().url());
      const from = Number(searchParams.get('cursor') ?? 0);
      const to = from + Number(searchParams.get('limit'));
      await route.fulfill({ json: { items: all.slice(from, to), next_cursor: to < all.length ? String(to) : null } });
    });
    await page.clock.install();
    await overview(page);
    const items = page.getByRole('list', { name: 'Desktops' }).getByRole('listitem');
    const count = (number) => until(async () => (await items.count()) === number, `there are not ${number}`);
    await count(50);
    await page.locator('#main').getByRole('button', { name: 'Show more' }).click();
    await count(100);
    const scrolls = () => document.scrollingElement.scrollHeight > window.innerHeight;
    assert.equal(await page.evaluate(scrolls), false, 'the list scrolls, and not the page');
    all[70] = desktop(70, 'stopped');
    all.splice(80, 1);
    all.unshift(desktop(-1));
    await page.clock.fastForward(EVERY_MS);
    await items.filter({ hasText: 'desk_70' }).getByText('ended').waitFor();
    await items.filter({ hasText: 'desk_-1' }).waitFor();
    assert.equal(await items.filter({ hasText: 'desk_80' }).count(), 0);
    assert.equal(await items.filter({ hasText: 'desk_99' }).count(), 1, 'what was shown stays');
  }));

test('a list that cannot be read now and then is no problem, until that lasts', () =>
  onPage(async (page) => {
    await page.clock.install();
    await overview(page);
    await page.getByText(/There are no desktops yet|^Desktop of/).first().waitFor();
    const alarms = await counted(page);
    let fails = false;
    await page.route('**/api/desktops?*', (route) => (fails ? route.fulfill({ status: 500, json: FAILURE }) : route.continue()));
    const read = async () => {
      const answered = page.waitForResponse('**/api/desktops?*');
      await page.clock.fastForward(EVERY_MS);
      await (await answered).finished();
      await settled(page);
    };
    for (const now of [true, false, true, true, false]) {
      fails = now;
      await read();
    }
    assert.deepEqual(await alarms(), []);
    fails = true;
    for (let times = 0; times < 3; times += 1) await read();
    await page.getByRole('alert').waitFor();
    fails = false;
    await read();
    await page.getByRole('alert').waitFor({ state: 'detached' });
  }));

/** Has the page be able to close the socket on which it spoke last, as a server closes it; a white field is seen then. */
async function closable(page) {
  await page.evaluate(() => {
    const { send } = WebSocket.prototype;
    let last;
    WebSocket.prototype.send = function (...given) {
      last = this;
      send.apply(this, given);
    };
    window.closeLast = (code) => {
      const seen = document.querySelector('.live canvas').getContext('2d');
      seen.fillStyle = 'white';
      seen.fillRect(100, 100, 400, 300);
      const said = JSON.stringify({ error: 'That was it.', code: 'unavailable' });
      last.dispatchEvent(new MessageEvent('message', { data: said }));
      last.dispatchEvent(new CloseEvent('close', { code }));
      last.close();
    };
  });
}

test('a screen stays as it was until it is seen again, and nobody is alarmed', () =>
  onPage(async (page) => {
    await page.clock.install();
    await overview(page);
    await closable(page);
    await page.getByRole('button', { name: 'Start a desktop without a task' }).click();
    await connected(page);
    const alarms = await counted(page);
    const still = page.locator('.live canvas.still');
    for (const [code, told] of [[IDLE, 'Connecting'], [RESTARTS, 'The connection is lost']]) {
      await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 1_000);
      await page.evaluate((code) => window.closeLast(code), code);
      await page.locator('.connection').getByText(told).waitFor();
      assert.equal(await still.evaluate((each) => each.getContext('2d').getImageData(300, 250, 1, 1).data[0]), 255);
      await page.clock.resume();
      await connected(page);
      await still.waitFor({ state: 'detached' });
    }
    assert.deepEqual(await alarms(), []);
    await endAll(page);
  }));
