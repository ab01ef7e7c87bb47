/** One conversation: what was said, what is being said, and the place to say something. */

import type { MessageView } from '@cartrita/client';
import { useComputed, useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import { DesktopNotice } from '../desktop/desktop-notice';
import { Problem } from '../parts/controls';
import type { LiveAnswer } from '../state/chat';
import { useConsole } from '../state/console';
import { Composer } from './composer';
import { AnswerView } from './answer-view';
import { hasEnded } from './answers';
import { AnswerMessage, QuestionMessage } from './message';
import { MessageText } from './message-text';

/** So many messages are shown at first: a long conversation is a lot to draw. */
const SHOWN = 100;

export function ChatView() {
  const { chat, uploads } = useConsole();
  const dragged = useSignal(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    dragged.value = false;
    uploads.add(event.dataTransfer?.files ?? [], chat.conversationId.peek());
  };
  return (
    <section
      class={dragged.value ? 'chat dragged' : 'chat'}
      aria-label="Conversation"
      onDragOver={(event) => {
        event.preventDefault();
        dragged.value = true;
      }}
      onDragLeave={(event) => (dragged.value = event.currentTarget.contains(event.relatedTarget as Node | null))}
      onDrop={drop}
    >
      <DesktopNotice />
      <Messages empty={<Welcome />} />
      <Announcer />
      <div class="foot">
        <Problem text={chat.problem.value} />
        <Composer />
      </div>
    </section>
  );
}

interface MessagesProps {
  /** What is shown where nothing was said yet. */
  readonly empty: ComponentChildren;
}

export function Messages({ empty }: MessagesProps) {
  const { chat } = useConsole();
  const all = useSignal(false);
  const scrolled = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const followed = useRef(true);
  const live = chat.live.value;
  const messages = upTo(chat.messages.value, live[0]);
  const hidden = all.value ? 0 : Math.max(0, messages.length - SHOWN);
  useEffect(() => {
    const grown = new ResizeObserver(() => followed.current && toEnd(scrolled.current));
    if (list.current) grown.observe(list.current);
    return () => grown.disconnect();
  }, []);
  useEffect(() => {
    followed.current = true;
  }, [chat.conversationId.value]);
  const look = () => {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = scrolled.current ?? {};
    followed.current = scrollTop + clientHeight > scrollHeight - 80;
  };
  const isEmpty = messages.length === 0 && live.length === 0;
  return (
    <div class="messages" ref={scrolled} onScroll={look}>
      {isEmpty && (chat.loading.value ? <Loading /> : empty)}
      {hidden > 0 && (
        <button type="button" onClick={() => (all.value = true)}>
          Show {hidden} earlier messages
        </button>
      )}
      <ol ref={list}>
        {messages.slice(hidden).map((each, index, shown) => {
          const last = live.length === 0 && index === shown.length - 1;
          return each.role === 'user' ? (
            <QuestionMessage key={each.id} message={each} last={last} />
          ) : (
            <AnswerMessage key={each.id} message={each} last={last} />
          );
        })}
        {live.map((each, index) => (
          <LiveMessages key={each.stream} live={each} asked={index === 0 && isAsked(each, messages.at(-1))} />
        ))}
      </ol>
    </div>
  );
}

/** Whether the server has told of the question already. */
function isAsked(live: LiveAnswer, last: MessageView | undefined): boolean {
  return last?.role === 'user' && last.content === live.question?.text;
}

function LiveMessages({ live, asked }: { live: LiveAnswer; asked: boolean }) {
  const answer = live.answer.value;
  return (
    <>
      {live.question && !asked && (
        <li class="message question" aria-label="You">
          <div class="bubble">
            <MessageText {...live.question} />
          </div>
        </li>
      )}
      <li class="message answer" aria-label="Answer" aria-busy={!hasEnded(answer)}>
        <AnswerView answer={answer} live={live} />
      </li>
    </>
  );
}

function Loading() {
  return (
    <p class="centred" role="status">
      One moment …
    </p>
  );
}

function Welcome() {
  return (
    <div class="centred">
      <h2>What shall it be?</h2>
      <p>Ask something, or drop files here. Whatever you have seen of an answer is kept, whatever happens to this page.</p>
    </div>
  );
}

/** Tells people who do not see it when an answer begins, asks for something, and ends. */
export function Announcer() {
  const { chat } = useConsole();
  const sentence = useComputed(() => {
    const [first] = chat.live.value;
    if (!first) return chat.told.value.size > 0 ? 'The answer is complete.' : '';
    const answer = first.answer.value;
    if (answer.approvals.some((each) => !each.decision)) return 'The answer waits for your decision.';
    return answer.waiting || 'The answer is being written.';
  });
  return (
    <p class="unseen" role="status">
      {sentence}
    </p>
  );
}

/** Below the message that is being answered anew nothing is shown meanwhile. */
function upTo<T extends { readonly id: string }>(messages: readonly T[], live: LiveAnswer | undefined): readonly T[] {
  if (live?.after === undefined) return messages;
  const index = messages.findIndex((each) => each.id === live.after);
  return index < 0 && live.after !== null ? messages : messages.slice(0, index + 1);
}

function toEnd(element: HTMLElement | null): void {
  element?.scrollTo({ top: element.scrollHeight });
}
