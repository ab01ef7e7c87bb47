/** Nothing that models, people or files say runs in the page, or makes it ask anybody else. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { answered, answers, onPage, questions, say, useBrowser } from './browser.mjs';

useBrowser();
const corpus = JSON.parse(await readFile(new URL('corpus.json', import.meta.url), 'utf-8'));
const { elsewhere: ELSEWHERE, payloads: CORPUS } = corpus;

/** Elements and addresses that could run or load something, anywhere in the page. */
async function dangers(page) {
  return page.evaluate(() => {
    const found = [];
    const own = new URL(location.href).origin;
    for (const element of document.querySelectorAll('#console *')) {
      if (/^(script|iframe|object|embed|base|meta|link|style|form[^]*action)$/i.test(element.tagName)) found.push(element.outerHTML);
      for (const { name, value } of element.attributes) {
        if (/^on/i.test(name) || name === 'style' || name === 'srcset') found.push(`${name}=${value}`);
        if (/^(src|href|xlink:href|action|formaction)$/i.test(name)) {
          const url = new URL(value, location.href);
          const loads = name !== 'href';
          if (!/^(https?|mailto):$/.test(url.protocol) || (loads && url.origin !== own)) found.push(`${name}=${value}`);
        }
      }
    }
    if (window.ran !== undefined) found.push('it ran');
    return found;
  });
}

test('what a model says', () =>
  onPage(async (page) => {
    await say(page, 'corpus');
    await answered(page);
    assert.ok((await answers(page).last().innerText()).includes('onerror'), 'it is shown as text');
    assert.deepEqual(await dangers(page), []);
    for (const summary of await page.locator('details > summary').all()) await summary.click({ force: true }).catch(() => undefined);
    for (const anchor of await answers(page).getByRole('link').all()) {
      assert.equal(await anchor.getAttribute('target'), '_blank');
      assert.match(await anchor.getAttribute('href'), /^(https?:|mailto:)/i);
    }
    assert.equal(await answers(page).locator('img').count(), 0);
    assert.deepEqual(await dangers(page), []);
  }));

for (const [index, payload] of CORPUS.entries()) {
  test(`what a person says, and a title: ${index}`, () =>
    onPage(async (page) => {
      await say(page, payload);
      await answered(page);
      assert.deepEqual(await dangers(page), []);
      await page.evaluate(async (title) => {
        const id = decodeURIComponent(location.hash.split('/')[2]);
        const init = { method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ title: title.slice(0, 200) }) };
        await fetch(`/api/conversations/${id}`, init);
      }, payload);
      await page.reload();
      await questions(page).first().waitFor();
      await page.locator('li.conversation').first().waitFor();
      assert.deepEqual(await dangers(page), []);
    }));
}

test('names of files, and a page as a file', () =>
  onPage(async (page) => {
    const files = CORPUS.slice(0, 6).map((name, index) => ({
      name: `${name.replace(/[/\\\n]/g, '_').slice(0, 100)}${index}.txt`,
      mimeType: 'text/plain',
      buffer: Buffer.from('harmless'),
    }));
    files.push({ name: 'page.html', mimeType: 'text/html', buffer: Buffer.from('<script>parent.ran = 1</script>') });
    await page.getByLabel('Files', { exact: true }).setInputFiles(files);
    await page.locator('.composer .files small').filter({ hasText: /\d B|\w{4}/ }).nth(files.length - 1).waitFor();
    await page.locator('.composer .files progress').first().waitFor({ state: 'detached' });
    assert.deepEqual(await dangers(page), []);
    await say(page, 'hello with files');
    await answered(page);
    await questions(page).getByRole('link').first().waitFor();
    assert.deepEqual(await dangers(page), []);
    const shown = await page.evaluate(() => document.querySelector('.bubble a').getAttribute('href'));
    assert.match(shown, /^\/api\/files\/file_[0-9a-f]+\/content$/);
  }));

test('the policy of the page holds where its code would not', () =>
  onPage(async (page) => {
    const refused = await page.evaluate(async (elsewhere) => {
      const told = [];
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => told.push(effectiveDirective));
      const image = document.createElement('img');
      image.src = `${elsewhere}/pixel.png`;
      document.body.append(image);
      const script = document.createElement('script');
      try {
        script.src = '/api/me';
      } catch {
        told.push('trusted-types');
      }
      try {
        document.body.innerHTML = '<img src=x onerror="window.ran = 1">';
      } catch {
        told.push('trusted-types');
      }
      await fetch(`${elsewhere}/data`).catch(() => told.push('fetch'));
      return told;
    }, ELSEWHERE);
    assert.ok(refused.includes('trusted-types') && refused.includes('fetch'), String(refused));
    assert.equal(await page.evaluate(() => window.ran), undefined);
  }, { expected: /Content Security Policy|TrustedHTML|TrustedScriptURL|elsewhere\.invalid/ }));
