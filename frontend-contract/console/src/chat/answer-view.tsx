/** One answer: its text, and before it everything that led to it. */

import { Problem } from '../parts/controls';
import { Markdown } from '../parts/markdown';
import { withAdvice } from '../parts/sentences';
import type { LiveAnswer } from '../state/chat';
import { hasEnded, type Answer } from './answers';
import { ApprovalForm } from './approval-form';
import { Timeline } from './timeline';

export function AnswerView({ answer, live }: { answer: Answer; live?: LiveAnswer }) {
  const { failure, reasoning, sources, text, waiting } = answer;
  const begun = text || reasoning || answer.tools.length > 0 || answer.tasks.length > 0;
  const writing = live && !hasEnded(answer) && !waiting && answer.approvals.every((each) => each.decision);
  return (
    <>
      {reasoning && (
        <details class="reasoning">
          <summary>Reasoning</summary>
          <Markdown text={reasoning} />
        </details>
      )}
      <Timeline answer={answer} />
      {live && answer.approvals.map((each) => <ApprovalForm key={each.approval_id} live={live} approval={each} />)}
      {waiting && <p class="notice">{waiting}</p>}
      <Markdown text={text} />
      {writing && (begun ? <span class="cursor" aria-hidden="true" /> : <p class="typing">…</p>)}
      {failure && <Failure failure={failure} />}
      {sources.length > 0 && <Sources answer={answer} />}
    </>
  );
}

/** Who stopped an answer is told nothing new: that is no alarm. */
function Failure({ failure }: { failure: NonNullable<Answer['failure']> }) {
  const text = withAdvice(failure.error, failure.code);
  return failure.code === 'cancelled' ? <p class="quiet">{text}</p> : <Problem text={text} />;
}

function Sources({ answer }: { answer: Answer }) {
  return (
    <section class="sources" aria-label="Sources">
      <h3>Sources</h3>
      <ol>
        {answer.sources.map(({ index, title, url, snippet }) => (
          <li key={index} value={index}>
            {isPage(url) ? (
              <a href={url} target="_blank" rel="noopener noreferrer">
                {title || url}
              </a>
            ) : (
              <span>{title}</span>
            )}
            {snippet && <small>{snippet}</small>}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Addresses come from models and pages: only those of the web are followed. */
function isPage(url: string | null): url is string {
  return url !== null && /^https?:\/\//i.test(url);
}
