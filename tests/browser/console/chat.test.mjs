/** Answers as they are written: streamed, stopped, cut, reloaded, branched, seen in two tabs. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answered, answers, ask, cuttable, KEY, onPage, questions, say, useBrowser } from './browser.mjs';

useBrowser();
const STORY = Array.from({ length: 40 }, (_, index) => `word${index}`).join(' ');
const beginning = (page) => answers(page).getByText('word3').waitFor();

test('an answer is streamed as Markdown', () =>
  onPage(async (page) => {
    await say(page, 'Show markdown');
    await answered(page);
    const answer = answers(page).last();
    await answer.getByRole('heading', { name: 'A heading' }).waitFor();
    assert.equal(await answer.getByRole('link', { name: 'link' }).getAttribute('rel'), 'noopener noreferrer');
    assert.equal(await answer.getByRole('cell').first().innerText(), '1');
    assert.match(await answer.locator('figure.code pre').innerText(), /def double/);
    await page.locator('li.conversation a[aria-current]', { hasText: 'Show markdown' }).waitFor();
    assert.match(await page.title(), /Show markdown/);
  }));

test('tools are shown with arguments, results and sources', () =>
  onPage(async (page) => {
    await say(page, 'calculate');
    assert.equal(await answered(page), 'It is 42 [1].');
    const step = answers(page).last().getByRole('list', { name: 'Steps' });
    await step.getByText('calculator').click();
    await step.getByText('"expression": "6*7"').waitFor();
    await step.getByText('6*7 = 42').waitFor();
    await answers(page).last().getByText('Reasoning').click();
    await page.getByText('The calculator knows.').waitFor();
    const source = page.getByRole('region', { name: 'Sources' }).getByRole('link', { name: 'The Guide' });
    assert.equal(await source.getAttribute('href'), 'https://example.com/guide');
  }));

test('tasks of other agents are shown, and again after a reload', () =>
  onPage(async (page) => {
    await say(page, 'delegate');
    assert.equal(await answered(page), 'The writer is done.');
    const task = answers(page).last().getByRole('list', { name: 'Steps' }).getByText('Write a line.');
    await task.waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'How it came about' }).click();
    await task.click();
    await page.getByText('A line was written.').first().waitFor();
    const trace = answers(page).last().getByRole('link', { name: 'Trace' });
    assert.match(await trace.getAttribute('href'), /^https:\/\/traces\.example\/[0-9a-f]{32}$/);
  }));

test('a stopped answer keeps what was seen, and is continued', () =>
  onPage(async (page) => {
    await say(page, 'story');
    await beginning(page);
    await page.getByRole('button', { name: 'Stop the answer' }).click();
    const part = await answered(page);
    assert.ok(part.startsWith('word0') && part.length < STORY.length);
    await page.getByRole('button', { name: 'Continue' }).click();
    await answers(page).last().getByText('Hello.').waitFor();
    await answered(page);
    const stored = await ask(page, `/api/conversations/${conversationOf(page)}/messages`);
    assert.equal(stored.items.at(-1).content, await answers(page).last().locator('.markdown').innerText());
  }));

test('an answer that is stopped before its run is known is stopped all the same', () =>
  onPage(async (page) => {
    let release;
    const stopped = new Promise((resolve) => (release = resolve));
    await page.route('**/api/chat/stream', (route) => stopped.then(() => route.continue()));
    await say(page, 'pause');
    await page.getByRole('button', { name: 'Stop the answer' }).click();
    release();
    await page.getByText('The answer was cancelled.').waitFor();
    const { items } = await ask(page, `/api/conversations/${conversationOf(page)}/messages`);
    assert.deepEqual(items.map((message) => message.content), ['pause']);
  }));

test('an answer that fails says what to do', () =>
  onPage(async (page) => {
    await say(page, 'fail');
    const alert = answers(page).last().getByRole('alert');
    assert.match(await alert.innerText(), /overloaded.*choose another model/);
    assert.match(await answers(page).last().innerText(), /So far, so good/);
  }));

test('an answer that failed says why after a reload too', () =>
  onPage(async (page) => {
    await say(page, 'fail');
    await answered(page);
    await page.reload();
    const last = answers(page).last();
    assert.match(await last.getByRole('alert').innerText(), /overloaded.*choose another model/);
    assert.match(await last.innerText(), /So far, so good/);
    assert.equal(await last.getByText('ended early').count(), 0);
    await page.getByRole('button', { name: 'How it came about' }).click();
    await page.getByRole('button', { name: 'How it came about' }).waitFor({ state: 'detached' });
    assert.equal(await last.getByRole('alert').count(), 1);
  }));

test('a message that the server does not take is given back', () =>
  onPage(async (page) => {
    await page.route('**/api/chat/stream', (route) =>
      route.fulfill({
        status: 422,
        contentType: 'application/json',
        body: JSON.stringify({ detail: 'No.', error: 'Not like this.', code: 'validation_error', details: {}, request_id: 'r' }),
      }),
    );
    await say(page, 'Take this');
    assert.match(await page.getByRole('alert').innerText(), /Not like this/);
    assert.equal(await page.getByRole('textbox', { name: 'Message' }).inputValue(), 'Take this');
    assert.equal(await questions(page).count(), 0);
  }));

test('the network is cut in the middle, and nothing is missing', async () => {
  const way = await cuttable();
  try {
    await onPage(async (page) => {
      await say(page, 'story');
      await beginning(page);
      await way.cut();
      const seen = await answers(page).last().locator('.markdown').innerText();
      await way.restore();
      await answers(page).getByText('word39').waitFor();
      assert.equal(await answered(page), STORY);
      assert.ok(seen.length < STORY.length);
      const runs = await ask(page, `/api/conversations/${conversationOf(page)}/messages`);
      assert.equal(runs.items.length, 2);
    }, { base: way.base });
  } finally {
    await way.cut();
  }
});

test('a reload in the middle goes on with the same answer', () =>
  onPage(async (page) => {
    await say(page, 'story');
    await beginning(page);
    await page.reload();
    await page.getByRole('button', { name: 'Stop the answer' }).waitFor();
    assert.equal(await answered(page), STORY);
    const stored = await ask(page, `/api/conversations/${conversationOf(page)}/messages`);
    assert.deepEqual(stored.items.map((each) => each.content), ['story', STORY]);
    assert.equal(await questions(page).count(), 1);
  }));

test('two tabs show the same answer, and one can stop it for both', () =>
  onPage(async (page, context) => {
    const other = await context.newPage();
    await say(page, 'hello there');
    await answered(page);
    await other.goto(page.url());
    await answers(other).first().waitFor();
    await say(page, 'saga');
    await answers(page).getByText('and then').waitFor();
    await answers(other).getByText('and then').waitFor();
    await other.getByRole('button', { name: 'Stop the answer' }).click();
    assert.equal(await answered(page), await answered(other));
    await page.getByLabel('Actions for hello there').click();
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByLabel('Title', { exact: true }).fill('Renamed elsewhere');
    await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
    await other.getByRole('heading', { name: 'Renamed elsewhere' }).waitFor();
  }));

test('a message that waits for the one before says so', () =>
  onPage(async (page) => {
    await say(page, 'story');
    await beginning(page);
    await say(page, 'hello');
    await page.getByText('number 1 in the queue').waitFor();
    await answered(page);
    const shown = await page.locator('.message').evaluateAll((all) => all.map((each) => each.querySelector('.said, .markdown').innerText));
    assert.deepEqual(shown, ['story', STORY, 'hello', 'Hello.']);
  }));

test('a page that is opened while messages wait shows all of them in the end', () =>
  onPage(async (page) => {
    await say(page, 'story');
    await beginning(page);
    await say(page, 'hello');
    await page.getByText('number 1 in the queue').waitFor();
    await page.reload();
    await answers(page).getByText('Hello.').waitFor();
    await answered(page);
    assert.deepEqual(await questions(page).locator('.said').allInnerTexts(), ['story', 'hello']);
    assert.equal(await answers(page).count(), 2);
  }));

test('a session that ends in the middle goes on with the answer after signing in', () =>
  onPage(async (page, context) => {
    await say(page, 'story');
    await beginning(page);
    await context.clearCookies();
    await page.getByRole('link', { name: 'Usage' }).click();
    await page.getByLabel('API key').fill(KEY);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.goBack();
    assert.equal(await answered(page), STORY);
    assert.equal(await answers(page).count(), 1);
  }));

test('edited words make a branch, and one goes back and forth between them', () =>
  onPage(async (page) => {
    await say(page, 'first words');
    await answered(page);
    await page.getByRole('button', { name: 'Edit and ask again' }).click();
    await page.getByLabel('Other words').fill('calculate');
    await page.getByRole('button', { name: 'Ask again' }).click();
    await page.getByText('2 of 2').waitFor();
    assert.equal(await answered(page), 'It is 42 [1].');
    await page.getByRole('button', { name: 'Earlier version' }).click();
    await questions(page).getByText('first words').waitFor();
    await page.getByText('1 of 2').waitFor();
    await page.getByRole('button', { name: 'Answer again' }).click();
    await answers(page).getByText('2 of 2').waitFor();
    await say(page, 'and on');
    await answered(page);
    assert.equal(await questions(page).count(), 2);
    await page.reload();
    await questions(page).getByText('and on').waitFor();
  }));

test('a tool waits for a decision, which is bound to what was shown', () =>
  onPage(async (page) => {
    await page.getByText('Options').click();
    await page.getByLabel('Ask me before tools').selectOption('always');
    for (const [decision, told] of [['Approve', 'done'], ['Deny', 'failed']]) {
      await say(page, 'calculate');
      const asked = page.getByRole('region', { name: 'Decision on calculator' });
      await asked.getByText('6*7').waitFor();
      await page.reload();
      await asked.getByText('6*7').waitFor();
      const sent = page.waitForRequest(/approvals/);
      await asked.getByRole('button', { name: decision }).click();
      assert.match((await sent).postDataJSON().arguments_hash, /^[0-9a-f]{64}$/);
      await answered(page);
      await answers(page).last().getByRole('list', { name: 'Steps' }).getByText(told).waitFor();
      await page.getByText('Options').click();
      await page.getByLabel('Ask me before tools').selectOption('always');
    }
  }));

test('the model and the agent can be chosen', () =>
  onPage(async (page) => {
    await page.getByText('Options').click();
    await page.getByLabel('Model').selectOption('offline/assistant');
    await say(page, 'Who are you?');
    assert.equal(await page.getByLabel('Model').isVisible(), false);
    assert.match(await answered(page), /offline assistant/);
  }));

function conversationOf(page) {
  return decodeURIComponent(new URL(page.url()).hash.split('/')[2]);
}
