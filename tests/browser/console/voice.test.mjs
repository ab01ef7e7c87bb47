/** Speaking with the console: what a microphone hears is answered, the answer is heard, and it can be stopped. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answered, answers, ask, given, messageBox, onPage, questions, say, useBrowsers } from './browser.mjs';

/** The recording has two utterances, the second one seconds after the first: it plays once, each time anew. */
useBrowsers(
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  `--use-file-for-fake-audio-capture=${given('UTTERANCES')}%noloop`,
);
/** What the other side of the server hears in sounds that are no words that it knows. */
const hears = (...sentences) =>
  fetch(`${given('DEEPGRAM')}/_sentences`, { method: 'POST', body: JSON.stringify(sentences) });
const microphone = (page) => page.getByRole('button', { name: 'Speak: click' });
const listening = (page) => page.getByRole('button', { name: 'Stop listening' });
const silence = (page) => page.getByRole('button', { name: 'Stop speaking' });

/** Tells where each piece of speech was put in time, and which were taken away. */
async function watchSpeaker(page) {
  await page.addInitScript(() => {
    const pieces = (globalThis.pieces = []);
    const { start, disconnect } = AudioBufferSourceNode.prototype;
    AudioBufferSourceNode.prototype.start = function (at) {
      pieces.push({ at, duration: this.buffer.duration, rate: this.context.sampleRate, node: this });
      start.call(this, at);
    };
    AudioBufferSourceNode.prototype.disconnect = function () {
      for (const each of pieces) if (each.node === this) each.silencedAt = this.context.currentTime;
      disconnect.call(this);
    };
  });
  await page.reload();
  await messageBox(page).waitFor();
}

const pieces = (page) =>
  page.evaluate(() => globalThis.pieces.map(({ at, duration, rate, silencedAt }) => ({ at, duration, rate, silencedAt })));

const heard = (page) => page.waitForFunction(() => globalThis.pieces.length > 0);

test('who holds the button is heard, answered and spoken to', () =>
  onPage(async (page) => {
    await watchSpeaker(page);
    await hears('What grows on stones?');
    await microphone(page).hover();
    await page.mouse.down();
    await page.getByRole('meter', { name: 'Loudness' }).waitFor();
    await page.waitForFunction(() => document.querySelector('.hearing p')?.textContent.includes('What grows'));
    await page.evaluate(() => {
      globalThis.states = [];
      const look = () => globalThis.states.push(document.querySelector('.hearing')?.textContent ?? '');
      new MutationObserver(look).observe(document.querySelector('.composer'), { childList: true, subtree: true, characterData: true });
    });
    await page.mouse.up();
    await questions(page).getByText('What grows on stones?').waitFor();
    assert.equal(await answered(page), 'Moss grows there. It is soft.');
    await page.waitForFunction(() => globalThis.states.some((each) => each.includes('Transcribing …')));
    assert.ok(!(await page.evaluate(() => globalThis.states.at(-1))).includes('Transcribing …'));
    await heard(page);
    await silence(page).waitFor({ state: 'detached' });
    await microphone(page).waitFor();
    const spoken = await pieces(page);
    for (const [index, each] of spoken.slice(1).entries()) {
      const { at, duration, rate } = spoken[index];
      const gap = each.at - at - duration;
      assert.ok(gap > -0.5 / rate, `piece ${index + 1} begins before the one before it ends`);
    }
    await questions(page).last().getByText('Spoken:').waitFor();
    const id = page.url().split('/c/')[1];
    const { items } = await ask(page, `/api/conversations/${id}/messages`);
    assert.equal(items[0].content, 'What grows on stones?');
    assert.equal(items[0].parts[0].spoken.words.length, 4);
  }));

test('an answer that is spoken is silenced by a button, and is written to its end', () =>
  onPage(async (page) => {
    await watchSpeaker(page);
    await hears('Please sing.');
    await microphone(page).focus();
    await page.keyboard.press('Enter');
    await heard(page);
    await silence(page).click();
    await silence(page).waitFor({ state: 'detached' });
    const [played, now] = await page.evaluate(() => [globalThis.pieces.length, globalThis.pieces.at(-1).silencedAt]);
    assert.ok(now !== undefined);
    await listening(page).click();
    assert.match(await answered(page), /^La la la\. .*The end\.$/s);
    assert.equal((await pieces(page)).length, played, 'something was played after it was silenced');
  }));

test('silence in the last sound of an answer leaves the next one audible', () =>
  onPage(async (page) => {
    await watchSpeaker(page);
    await page.evaluate(() => {
      const { start } = AudioBufferSourceNode.prototype;
      AudioBufferSourceNode.prototype.start = function (at) {
        start.call(this, at + 60);
      };
    });
    const opened = page.waitForEvent('websocket', (each) => each.url().includes('/ws/voice'));
    await hears('What grows on stones?', 'What grows on stones?');
    await microphone(page).click();
    const socket = await opened;
    const done = () => socket.waitForEvent('framereceived', ({ payload }) => String(payload).includes('"speech_done"'));
    await done();
    const played = (await pieces(page)).length;
    await silence(page).click();
    await page.waitForFunction((before) => globalThis.pieces.length > before, played);
  }));

test('who speaks while it speaks is heard, and it is silent', () =>
  onPage(async (page) => {
    await watchSpeaker(page);
    await hears('Please sing.', 'What grows on stones?');
    await microphone(page).click();
    await heard(page);
    await page.waitForFunction(() => globalThis.pieces.some((each) => each.silencedAt !== undefined));
    await questions(page).getByText('What grows on stones?').waitFor();
    await answers(page).getByText('Moss grows there.').waitFor();
    await listening(page).click();
    await microphone(page).waitFor();
  }));

test('what is written meanwhile goes on, and another conversation ends the listening', () =>
  onPage(async (page) => {
    await microphone(page).click();
    await listening(page).waitFor();
    await say(page, 'Hello.');
    assert.equal(await answered(page), 'Hello.');
    await page.getByRole('link', { name: 'New conversation' }).click();
    await microphone(page).waitFor();
  }));

test('a server that cannot listen says so at the button', () =>
  onPage(async (page) => {
    await page.route('**/api/voice', async (route) => {
      const answer = await (await route.fetch()).json();
      const transcribers = answer.transcribers.map((each) => ({ ...each, available: false, needs: 'Install an ear.' }));
      await route.fulfill({ json: { ...answer, transcribers } });
    });
    await page.reload();
    const button = page.getByRole('button', { name: 'This server cannot listen yet. Install an ear.' });
    await button.waitFor();
    assert.ok(await button.isDisabled());
  }));
