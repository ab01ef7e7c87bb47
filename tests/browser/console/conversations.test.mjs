/** The list of conversations, files, and the other places. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { answered, answers, messageBox, onPage, questions, say, useBrowser } from './browser.mjs';

useBrowser();

async function act(page, title, action) {
  await page.getByLabel(`Actions for ${title}`, { exact: true }).click();
  await page.getByRole('button', { name: action, exact: true }).click();
}

async function talk(page, title) {
  await page.getByRole('link', { name: 'New conversation' }).click();
  await page.getByRole('heading', { name: 'New conversation' }).waitFor();
  await say(page, title);
  await answered(page);
}

const link = (page, name) => page.getByRole('navigation', { name: 'Conversations' }).getByRole('link', { name });

test('rename, pin, archive and delete', () =>
  onPage(async (page) => {
    await talk(page, 'plain title');
    await act(page, 'plain title', 'Rename');
    await page.getByLabel('Title', { exact: true }).fill('Better title');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Better title' }).waitFor();
    await act(page, 'Better title', 'Pin');
    await link(page, 'Pinned: Better title').waitFor();
    await act(page, 'Better title', 'Archive');
    await link(page, 'Better title').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Show archived' }).click();
    await act(page, 'Better title', 'Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await act(page, 'Better title', 'Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Nothing is archived.').waitFor();
    await page.getByRole('heading', { name: 'New conversation' }).waitFor();
  }));

test('what was written is there again where one comes back', () =>
  onPage(async (page) => {
    const written = () => messageBox(page).inputValue();
    const shown = (name) => page.getByRole('heading', { name, exact: true, level: 1 }).waitFor();
    await talk(page, 'one talk');
    await messageBox(page).fill('half a thought');
    await page.getByRole('link', { name: 'New conversation' }).click();
    await shown('New conversation');
    assert.equal(await written(), '');
    await messageBox(page).fill('a beginning');
    await link(page, 'one talk').click();
    await shown('one talk');
    assert.equal(await written(), 'half a thought');
    await page.getByRole('link', { name: 'Usage' }).click();
    await shown('Usage');
    await page.goBack();
    await shown('one talk');
    assert.equal(await written(), 'half a thought');
    await messageBox(page).press('Enter');
    await answered(page);
    assert.equal(await written(), '');
    await page.getByRole('link', { name: 'New conversation' }).click();
    await shown('New conversation');
    assert.equal(await written(), 'a beginning');
  }));

test('what was written is there after a reload, until it is sent', () =>
  onPage(async (page) => {
    const written = () => messageBox(page).inputValue();
    const shown = (text) => page.waitForFunction((wanted) => document.querySelector('textarea')?.value === wanted, text);
    await talk(page, 'another talk');
    await messageBox(page).fill('half a thought');
    await page.getByRole('link', { name: 'New conversation' }).click();
    await page.getByRole('heading', { name: 'New conversation', level: 1 }).waitFor();
    await messageBox(page).fill('a beginning');
    await page.reload();
    await messageBox(page).waitFor();
    await shown('a beginning');
    await link(page, 'another talk').click();
    await shown('half a thought');
    await messageBox(page).press('Enter');
    await answered(page);
    await page.reload();
    await messageBox(page).waitFor();
    assert.equal(await written(), '');
    const kept = await page.evaluate(() => JSON.stringify({ ...sessionStorage }));
    assert.ok(kept.includes('a beginning') && !kept.includes('half a thought'));
  }));

test('search finds words, and opens what it found', () =>
  onPage(async (page) => {
    await talk(page, 'The heliotrope stands beside the pump');
    await talk(page, 'something else');
    await page.getByRole('searchbox').fill('heliotrope');
    await page.locator('.found a').first().click();
    await questions(page).getByText('heliotrope').waitFor();
    await page.getByRole('searchbox').fill('nowordlikethis');
    await page.getByText('Nothing was found.').waitFor();
    await page.getByRole('searchbox').fill('');
    await link(page, 'something else').waitFor();
  }));

test('export is a file', () =>
  onPage(async (page) => {
    await talk(page, 'keep this');
    await page.getByLabel('Actions for keep this').click();
    const coming = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Export as Markdown' }).click();
    const text = await readFile(await (await coming).path(), 'utf-8');
    assert.match(text, /# keep this/);
  }));

test('a long list comes in pages', () =>
  onPage(async (page) => {
    await page.evaluate(async () => {
      for (let number = 0; number < 35; number += 1) {
        const body = JSON.stringify({ title: `Many ${number}` });
        await fetch('/api/conversations', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
      }
    });
    await page.reload();
    const items = page.locator('li.conversation');
    await items.nth(29).waitFor();
    assert.equal(await items.count(), 30);
    await page.getByRole('button', { name: 'Show more' }).click();
    await items.nth(34).waitFor();
  }));

test('files are attached, with progress, and shown with the message', () =>
  onPage(async (page) => {
    const chosen = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('The pump is blue.') };
    await page.getByLabel('Files', { exact: true }).setInputFiles(chosen);
    const list = page.getByRole('list', { name: 'Files for the next message' });
    await list.getByText('17 B').waitFor();
    const dropped = await page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['Dropped.'], 'dropped.txt', { type: 'text/plain' }));
      return transfer;
    });
    await page.locator('.chat').dispatchEvent('drop', { dataTransfer: dropped });
    await list.getByText('dropped.txt').waitFor();
    await list.getByText('8 B').waitFor();
    await list.getByRole('button', { name: 'Remove dropped.txt' }).click();
    await say(page, 'hello with a file');
    await answered(page);
    await questions(page).getByRole('link', { name: /notes.txt/ }).waitFor();
    assert.equal(await list.count(), 0);
  }));

test('an image is shown as the server made it anew', () =>
  onPage(async (page) => {
    const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    const chosen = { name: 'pixel.png', mimeType: 'image/png', buffer: Buffer.from(pixel, 'base64') };
    await page.getByLabel('Files', { exact: true }).setInputFiles(chosen);
    await page.getByRole('list', { name: 'Files for the next message' }).getByText('70 B').waitFor();
    await say(page, 'hello with an image');
    await answered(page);
    await page.waitForFunction(() => document.querySelector('.bubble img')?.naturalWidth > 0);
  }));

test('a file of a type that is not taken says so', () =>
  onPage(async (page) => {
    const chosen = { name: 'run.exe', mimeType: 'application/octet-stream', buffer: Buffer.from('MZ\x90\x00\x03'.repeat(50), 'latin1') };
    await page.getByLabel('Files', { exact: true }).setInputFiles(chosen);
    await page.locator('.files li.failed').getByText(/\w+ \w+ \w+/).waitFor();
    await say(page, 'hello anyway');
    await answered(page);
    assert.equal(await answers(page).count(), 1);
  }));

test('usage and providers', () =>
  onPage(async (page) => {
    await talk(page, 'be counted');
    await page.getByRole('link', { name: 'Usage' }).click();
    await page.getByLabel('The last').selectOption('a day');
    // The ledger is written a second or so after a call.
    await page.getByRole('rowheader', { name: 'offline/script' }).waitFor();
    assert.equal(await page.getByRole('img', { name: /over time/ }).count(), 4);
    await page.getByText('Numbers').nth(1).click();
    await page.getByRole('columnheader', { name: 'offline/script in' }).waitFor();
    await page.getByRole('link', { name: 'Providers' }).click();
    const offline = page.getByRole('region', { name: 'offline' });
    await offline.getByText('no failures').waitFor();
    await offline.getByRole('button', { name: 'Test the connection' }).click();
    await offline.getByText('works').waitFor();
    await page.getByRole('link', { name: 'Desktops' }).click();
    await page.getByText('A task for an agent on a desktop').waitFor();
  }));
