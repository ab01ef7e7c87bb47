/** Builds the page into the server's package: hashed names, no inline code, each file compressed beside it. */

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';

const here = import.meta.dirname;
const assets = join(here, '../../backend/cartrita/surfaces/console/assets');

/** What a browser loads it also checks, and each file lies there compressed: `name.br`, `name.gz`. */
function checkedAndCompressed() {
  return {
    name: 'checked-and-compressed',
    apply: 'build',
    writeBundle({ dir }, bundle) {
      const index = join(dir, 'index.html');
      writeFileSync(index, withIntegrity(readFileSync(index, 'utf-8'), dir));
      for (const name of Object.keys(bundle)) {
        const content = readFileSync(join(dir, name));
        const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
        writeFileSync(join(dir, `${name}.br`), brotliCompressSync(content, quality));
        writeFileSync(join(dir, `${name}.gz`), gzipSync(content, { level: 9 }));
      }
    },
  };
}

function withIntegrity(html, dir) {
  return html.replace(/ crossorigin (?:src|href)="\/assets\/([^"]+)"/g, (attributes, name) => {
    const digest = createHash('sha384').update(readFileSync(join(dir, name))).digest('base64');
    return `${attributes} integrity="sha384-${digest}"`;
  });
}

/** What the licence of the viewer asks for, in the file that holds it. */
const NOVNC = '/*! With noVNC 1.7.0, unchanged: MPL 2.0, its source is at https://github.com/novnc/noVNC; and pako: MIT. */';

export default defineConfig({
  root: here,
  base: '/assets/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  resolve: { alias: { '@cartrita/client': join(here, '../src/index.ts') } },
  plugins: [checkedAndCompressed()],
  build: {
    outDir: process.env.CONSOLE_OUT ?? assets,
    emptyOutDir: true,
    assetsDir: '',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    target: 'es2022',
    rolldownOptions: { output: { postBanner: ({ name }) => (name === 'screen' ? NOVNC : '') } },
  },
});
