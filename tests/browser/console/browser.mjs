/** A real Chromium, pages that are watched, and a network that can be cut. */

import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after, afterEach, before, beforeEach } from 'node:test';

import { chromium } from 'playwright-core';

export const BASE = given('TARGET');
export const KEY = given('TARGET_KEY');
const WATCHDOG_MS = 60_000;
/** Those of tests/browser/chromium.py; root may not sandbox, and CI is often root. */
const SWITCHES = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server'];

export function given(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set: tests/browser/test_console.py does`);
  return value;
}

let browser;

/** Every file of tests has a browser of its own, with more switches where it needs some, and every test a profile. */
export function useBrowser(...switches) {
  before(() => launch(switches));
  after(() => browser.close());
}

/** Every test has a browser of its own: a microphone that plays a recording once begins anew with its browser. */
export function useBrowsers(...switches) {
  beforeEach(() => launch(switches));
  afterEach(() => browser.close());
}

async function launch(switches) {
  browser = await chromium.launch({ executablePath: given('CHROMIUM'), args: [...SWITCHES, ...switches] });
}

/** A signed-in page, closed afterwards; nothing may have gone wrong in it, or been asked of others. */
export async function onPage(work, { base = BASE, signedIn = true, expected = /^$/, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  context.setDefaultTimeout(WATCHDOG_MS);
  const wrong = [];
  const ownHost = new URL(base).host;
  context.on('weberror', (error) => wrong.push(String(error.error())));
  context.on('dialog', (dialog) => wrong.push(`dialog: ${dialog.message()}`));
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && url.host !== ownHost) wrong.push(`asked for ${url}`);
  });
  context.on('console', (message) => {
    if (/Content Security Policy|Trusted/.test(message.text())) wrong.push(message.text());
  });
  try {
    const page = await context.newPage();
    if (signedIn) await signIn(page, base);
    await work(page, context);
    assert.deepEqual(wrong.filter((each) => !expected.test(each)), []);
  } finally {
    await context.close();
  }
}

export async function signIn(page, base = BASE) {
  await page.goto(base);
  await page.getByLabel('API key').fill(KEY);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await messageBox(page).waitFor();
}

export function messageBox(page) {
  return page.getByRole('textbox', { name: 'Message', exact: true });
}

export async function say(page, text) {
  await messageBox(page).fill(text);
  await messageBox(page).press('Enter');
}

/** The answers that are shown, the oldest first. */
export function answers(page) {
  return page.getByRole('listitem', { name: 'Answer', exact: true });
}

export function questions(page) {
  return page.getByRole('listitem', { name: 'You', exact: true });
}

/** Waits until the last answer has been written to its end. */
export async function answered(page) {
  await page.getByRole('button', { name: 'Stop the answer' }).waitFor({ state: 'detached' });
  const last = answers(page).last();
  await last.getByRole('button', { name: 'Answer again' }).waitFor();
  return last.locator('.markdown').last().innerText();
}

/** What the server has, asked with the page's own cookie. */
export async function ask(page, path, method = 'GET') {
  return page.evaluate(([path, method]) => fetch(path, { method }).then((answer) => answer.json()), [path, method]);
}

/** A key of another user of the same tenant. */
export async function keyOfAnother(user) {
  const { tenant_id } = await asked('GET', '/api/me');
  await asked('POST', '/api/admin/users', { id: user, tenant_id });
  return (await asked('POST', '/api/admin/keys', { name: user, owner_id: user })).key;
}

async function asked(method, path, body) {
  const headers = { 'X-API-Key': KEY, 'Content-Type': 'application/json' };
  const answer = await fetch(BASE + path, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${path} answers ${answer.status}`);
  return answer.json();
}

/** The address of the server behind a way that can be cut. */
export async function cuttable() {
  const sockets = new Set();
  const { hostname, port } = new URL(BASE);
  const accept = (socket) => {
    const upstream = connect(Number(port), hostname);
    for (const [one, other] of [[socket, upstream], [upstream, socket]]) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => sockets.delete(one));
      one.pipe(other);
    }
  };
  let server = await listening(accept, 0);
  const own = server.address().port;
  return {
    base: `http://127.0.0.1:${own}`,
    cut: () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.resetAndDestroy();
      return closed;
    },
    restore: async () => {
      server = await listening(accept, own);
    },
  };
}

function listening(accept, port) {
  return new Promise((resolve, reject) => {
    const server = createServer(accept).on('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
