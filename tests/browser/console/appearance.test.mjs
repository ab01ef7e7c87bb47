/** How it looks, and whether everybody can use it: axe, contrast, 360 pixels, the keyboard. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';

import { answered, answers, BASE, messageBox, onPage, questions, say, useBrowser } from './browser.mjs';

useBrowser('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream');
const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf-8');
const SIZES = { wide: { width: 1200, height: 800 }, narrow: { width: 360, height: 740 } };

async function judged(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`) });
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document));
  assert.ok(passes.some((each) => each.id === 'color-contrast'), name);
  const bad = violations.filter((each) => ['serious', 'critical'].includes(each.impact));
  assert.deepEqual(bad.map((each) => [each.id, each.nodes.map((node) => node.html)]), [], name);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${name} is ${wide} pixels too wide`);
}

for (const colorScheme of ['light', 'dark']) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    test(`${colorScheme}, ${size}`, () =>
      onPage(async (page) => {
        const name = (view) => `${colorScheme}-${size}-${view}`;
        await page.goto(BASE);
        await page.getByLabel('API key').waitFor();
        await judged(page, name('sign-in'));
        await page.getByLabel('API key').fill(process.env.TARGET_KEY);
        await page.getByRole('button', { name: 'Sign in' }).click();
        await messageBox(page).waitFor();
        await judged(page, name('empty'));
        await say(page, 'Show markdown');
        await answered(page);
        await judged(page, name('markdown'));
        await say(page, 'delegate');
        await answered(page);
        await page.getByText('Write a line.').click();
        await judged(page, name('task'));
        await say(page, 'fail');
        await answers(page).last().getByRole('alert').waitFor();
        await answered(page);
        await page.getByText('Options').click();
        await page.getByLabel('Ask me before tools').selectOption('always');
        await judged(page, name('options'));
        await page.getByText('Options').click();
        await say(page, 'calculate');
        await page.getByRole('region', { name: 'Decision on calculator' }).waitFor();
        await judged(page, name('approval'));
        await page.getByRole('button', { name: 'Approve' }).click();
        await answered(page);
        await questions(page).last().getByRole('button', { name: 'Edit and ask again' }).click();
        await judged(page, name('editing'));
        await page.keyboard.press('Escape');
        await page.getByRole('button', { name: 'Speak: click' }).click();
        await page.getByRole('meter', { name: 'Loudness' }).waitFor();
        await judged(page, name('listening'));
        await page.getByRole('button', { name: 'Stop listening' }).click();
        if (size === 'narrow') {
          await page.getByRole('button', { name: 'Conversations and more' }).click();
          await judged(page, name('menu'));
        }
        await page.getByLabel(/^Actions for/).first().click();
        await judged(page, name('actions'));
        await page.getByRole('button', { name: 'Rename' }).click();
        await judged(page, name('dialog'));
        await page.keyboard.press('Escape');
        for (const view of ['usage', 'providers', 'desktop']) {
          await page.goto(`${BASE}/#/${view}`);
          await page.getByText({ usage: 'By model', providers: 'no failures', desktop: 'not offer it yet' }[view]).first().waitFor();
          await judged(page, name(view));
        }
      }, { colorScheme, viewport, signedIn: false }));
  }
}

test('everything is reached by the keyboard', () =>
  onPage(async (page) => {
    await page.keyboard.type('saga');
    await page.keyboard.press('Enter');
    await answers(page).getByText('and then').waitFor();
    const named = (name) => page.evaluate((name) => document.activeElement?.getAttribute('aria-label') === name, name);
    for (let presses = 0; !(await named('Stop the answer')); presses += 1) {
      assert.ok(presses < 12, 'the stop is not reached');
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await answered(page);
    await page.reload();
    await answers(page).first().waitFor();
    await page.getByRole('link', { name: 'Skip to the conversation' }).press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'main');
  }));

test('people who do not see it are told of beginning and end', () =>
  onPage(async (page) => {
    const told = page.locator('.chat > [role=status]');
    await say(page, 'saga');
    await told.getByText('The answer is being written.').waitFor();
    await page.getByRole('button', { name: 'Stop the answer' }).click();
    await told.getByText('The answer is complete.').waitFor();
  }));
