/** Markdown of models and people as elements: nothing in it runs, and nothing is loaded for it. */

import DOMPurify from 'dompurify';
import { marked, Renderer, type Token, type Tokens } from 'marked';
import { memo } from 'preact/compat';
import { useMemo } from 'preact/hooks';

import { CopyButton } from './controls';

/** A text that grows is parsed again, but only blocks that changed are made anew. */
export function Markdown({ text }: { text: string }) {
  const tokens = useMemo(() => marked.lexer(text), [text]);
  return (
    <div class="markdown">
      {tokens.map((token, index) => (
        <Block key={index} token={token} raw={token.raw} />
      ))}
    </div>
  );
}

const Block = memo(
  ({ token }: { token: Token; raw: string }) => {
    if (token.type === 'space') return null;
    if (token.type === 'code') return <Code token={token as Tokens.Code} />;
    return <div dangerouslySetInnerHTML={{ __html: harmless(token) }} />;
  },
  (before, after) => before.raw === after.raw,
);

function Code({ token }: { token: Tokens.Code }) {
  return (
    <figure class="code">
      <figcaption>
        <span>{token.lang || 'text'}</span>
        <CopyButton text={token.text} />
      </figcaption>
      <pre tabIndex={0}>
        <code>{token.text}</code>
      </pre>
    </figure>
  );
}

const renderer = new Renderer();
/** HTML is shown as it is written. */
renderer.html = ({ text }) => escaped(text);
/** An image is a link: a page that shows it tells its server that somebody reads this. */
renderer.image = ({ href, text }) => `<a href="${escaped(href)}">${escaped(text || href)}</a>`;

const TAGS = [
  'a', 'blockquote', 'br', 'code', 'del', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'input', 'li', 'ol', 'p',
  'pre', 'strong', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul',
];

const purifier = DOMPurify();
purifier.addHook('afterSanitizeAttributes', (element) => {
  if (element.tagName === 'A') {
    element.setAttribute('target', '_blank');
    element.setAttribute('rel', 'noopener noreferrer');
  }
  if (element.tagName === 'INPUT') element.setAttribute('disabled', '');
});

function harmless(token: Token): string {
  const html = marked.parser([token], { renderer });
  const clean = purifier.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ['align', 'checked', 'href', 'start', 'title', 'type'],
    ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
    ALLOW_ARIA_ATTR: false,
    ALLOW_DATA_ATTR: false,
    RETURN_TRUSTED_TYPE: true,
  });
  return clean as unknown as string; // Preact hands the trusted value on as it is
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);
}
