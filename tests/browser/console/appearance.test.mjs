/** How it looks, and whether everybody can use it: axe, contrast, 360 pixels, the keyboard. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answered, answers, BASE, messageBox, onPage, questions, say, useBrowser } from './browser.mjs';
import { judged, SIZES } from './judging.mjs';

useBrowser('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream');

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
          await page.getByText({ usage: 'By model', providers: 'no failures', desktop: 'A task for an agent on a desktop' }[view]).first().waitFor();
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
