/** A microphone that the browser keeps from the page, and one that is not there, are told of plainly. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answered, messageBox, onPage, say, useBrowser } from './browser.mjs';

useBrowser('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream=deny');
const microphone = (page) => page.getByRole('button', { name: 'Speak: click' });

async function toldOf(page, problem) {
  await microphone(page).click();
  await page.getByRole('alert').getByText(problem).waitFor();
  await microphone(page).waitFor();
  assert.equal(await page.getByRole('meter').count(), 0);
  await say(page, 'Hello.');
  assert.equal(await answered(page), 'Hello.');
}

test('a microphone that is denied', () => onPage((page) => toldOf(page, 'Allow it beside the address')));

test('a microphone that is not there', () =>
  onPage(async (page) => {
    await page.addInitScript(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('None.', 'NotFoundError'));
    });
    await page.reload();
    await messageBox(page).waitFor();
    await toldOf(page, 'No microphone was found');
  }));

test('a page that browsers give no microphone', () =>
  onPage(async (page) => {
    await page.addInitScript(() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined }));
    await page.reload();
    await messageBox(page).waitFor();
    await toldOf(page, 'only to pages on https');
  }));

test('a microphone that cannot be listened to is left', () =>
  onPage(async (page) => {
    await page.addInitScript(() => {
      const { stream } = new AudioContext().createMediaStreamDestination();
      globalThis.given = stream;
      navigator.mediaDevices.getUserMedia = () => Promise.resolve(stream);
      AudioWorklet.prototype.addModule = () => Promise.reject(new Error('No worklet here.'));
    });
    await page.reload();
    await messageBox(page).waitFor();
    await toldOf(page, 'No worklet here.');
    const states = await page.evaluate(() => globalThis.given.getTracks().map((track) => track.readyState));
    assert.deepEqual(states, ['ended']);
  }));
