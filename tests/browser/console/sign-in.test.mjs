/** The ways in, and out. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answered, BASE, KEY, given, keyOfAnother, messageBox, onPage, questions, say, signIn, useBrowser } from './browser.mjs';

useBrowser();
const out = { signedIn: false };

test('the printed link signs in once, and its code does not stay in the address', () =>
  onPage(async (page, context) => {
    await page.goto(given('SIGN_IN_LINK'));
    await messageBox(page).waitFor();
    assert.equal(await page.evaluate(() => location.href), `${BASE}/`);
    await page.reload();
    await messageBox(page).waitFor();
    const [cookie] = await context.cookies();
    assert.equal(cookie.httpOnly, true);
    await context.clearCookies();
    const second = await context.newPage();
    await second.goto(given('SIGN_IN_LINK'));
    await second.getByRole('alert').waitFor();
  }, out));

test('a key signs in, and is kept nowhere', () =>
  onPage(async (page) => {
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
    assert.ok(!kept.includes(KEY));
    assert.ok(!(await page.content()).includes(KEY));
  }));

test('a wrong key is told, and the next one works', () =>
  onPage(async (page) => {
    await page.goto(BASE);
    await page.getByLabel('API key').fill('ck_wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    assert.match(await page.getByRole('alert').innerText(), /\w+ \w+/);
    await signIn(page);
  }, out));

test('signing out ends the session', () =>
  onPage(async (page) => {
    await messageBox(page).fill('A secret of mine');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API key').waitFor();
    assert.equal(await page.evaluate(() => fetch('/api/me').then((answer) => answer.status)), 401);
    assert.ok(!(await page.evaluate(() => JSON.stringify({ ...sessionStorage }))).includes('secret'));
  }));

test('a session that has ended asks for signing in, and goes on where it was', () =>
  onPage(async (page, context) => {
    await page.goto(`${BASE}/#/usage`);
    await page.getByRole('heading', { name: 'By model' }).waitFor();
    await context.clearCookies();
    await page.getByRole('link', { name: 'Providers' }).click();
    assert.match(await page.getByRole('alert').innerText(), /session has ended/);
    await page.getByLabel('API key').fill(KEY);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'offline' }).waitFor();
  }));

test('whoever signs in after a session that has ended sees nothing of who was there', () =>
  onPage(async (page, context) => {
    const other = await keyOfAnother('guest');
    await say(page, 'A secret of mine');
    await answered(page);
    await messageBox(page).fill('A secret draft');
    await context.clearCookies();
    await page.getByRole('link', { name: 'Usage' }).click();
    await page.getByLabel('API key').fill(other);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'By model' }).waitFor();
    await page.goBack();
    await messageBox(page).waitFor();
    await page.getByRole('alert').waitFor();
    assert.equal(await questions(page).count(), 0);
    assert.equal(await page.getByText('A secret of mine').count(), 0);
    assert.equal(await messageBox(page).inputValue(), '');
    assert.ok(!(await page.evaluate(() => JSON.stringify({ ...sessionStorage }))).includes('secret'));
  }));
