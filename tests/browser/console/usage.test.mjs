/** The page of usage: money by what it was spent on, as lines and as tables, and what has no price. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answered, ask, messageBox, onPage, say, keyOfAnother, BASE, useBrowser } from './browser.mjs';
import { judged, SIZES } from './judging.mjs';

useBrowser();

const WATCHDOG_MS = 60_000;

/** The usage of a user of its own, once the calls are stored. */
async function used(page, calls) {
  const until = Date.now() + WATCHDOG_MS;
  while ((await ask(page, '/api/usage')).total_calls < calls) {
    assert.ok(Date.now() < until, 'the ledger has not got the calls');
    await page.waitForTimeout(100);
  }
  await page.goto(`${BASE}/#/usage`);
  await page.getByRole('heading', { name: 'By model' }).waitFor();
}

async function by(page, group) {
  await page.getByRole('combobox', { name: 'by', exact: true }).selectOption({ label: group });
  await page.getByRole('heading', { name: `By ${group}`, exact: true }).waitFor();
  return page.getByRole('region', { name: `By ${group}` });
}

const row = (region, name) => region.getByRole('row').filter({ has: region.page().getByRole('rowheader', { name, exact: true }) });

async function cells(region, name) {
  return row(region, name).first().getByRole('cell').allInnerTexts();
}

async function asAnother(page, user) {
  await page.goto(BASE);
  await page.getByLabel('API key').fill(await keyOfAnother(user));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await messageBox(page).waitFor();
}

test('money by model, agent, key and conversation', () =>
  onPage(async (page) => {
    await asAnother(page, 'spender');
    await say(page, 'delegate');
    await answered(page);
    await used(page, 3);
    const models = page.getByRole('region', { name: 'By model' });
    const [calls, , , cost] = await cells(models, 'offline/script');
    assert.equal(calls, '3');
    assert.match(cost, /^\$0\.\d+$/);
    assert.deepEqual((await cells(models, 'All')).at(-1), cost);
    await page.getByRole('img', { name: /^Cost over time/ }).waitFor();
    await judged(page, 'usage-by-model');
    const agents = await by(page, 'agent');
    assert.equal((await cells(agents, 'writer'))[0], '1');
    assert.equal((await cells(agents, 'supervisor'))[0], '2');
    await page.setViewportSize({ width: 1200, height: 1500 });
    await judged(page, 'usage-by-agent');
    assert.equal((await cells(await by(page, 'key'), 'spender'))[0], '3');
    assert.equal((await cells(await by(page, 'conversation'), 'delegate'))[0], '3');
    assert.equal((await cells(await by(page, 'provider'), 'offline'))[0], '3');
    await by(page, 'day');
    await page.setViewportSize(SIZES.narrow);
    await judged(page, 'usage-narrow');
  }, { signedIn: false }));

test('a price that is not known is no zero', () =>
  onPage(async (page) => {
    await asAnother(page, 'unpriced');
    await page.getByText('Options').click();
    await page.getByLabel('Model').selectOption('offline/assistant');
    await say(page, 'Hello');
    await answered(page);
    await used(page, 1);
    const models = page.getByRole('region', { name: 'By model' });
    assert.equal((await cells(models, 'offline/assistant')).at(-1), 'unknown');
    assert.equal((await cells(models, 'All')).at(-1), 'unknown');
    await page.getByText('Nothing was measured.').first().waitFor();
  }, { signedIn: false }));
