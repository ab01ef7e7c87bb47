/** One conversation: its messages, where it branches, and the answers that are being written. */

import { CartritaApiError, type CartritaApiClient, type ChatStream, type ConversationView, type MessageView } from '@cartrita/client';
import { batch, signal, type Signal } from '@preact/signals';

import { afterEvent, decided, hasEnded, NOTHING_YET, type Answer, type Approval, type Decision } from '../chat/answers';
import { messageOf, sentenceOf, withAdvice } from '../parts/sentences';
import { Drafts } from './drafts';
import type { News } from './news';

/** What a message is sent with, besides its text. */
export interface Choices {
  readonly agent: string;
  readonly model: string;
  readonly approval: '' | 'always';
}

export interface TaskChoices {
  /** Without it a new one is started, once the server takes the task. */
  readonly desktopId?: string;
  readonly model: string;
  /** Which actions a person decides on; empty for those that are risky. */
  readonly approval: '' | 'always' | 'never';
}

export interface Question {
  readonly text: string;
  readonly attachments: readonly string[];
  /** Whether it was said, not written. */
  readonly spoken?: boolean;
}

/** An answer that is being written, and where it belongs. */
export interface LiveAnswer {
  readonly answer: Signal<Answer>;
  readonly stream: ChatStream;
  /** The message below which nothing is shown meanwhile; undefined at the end, whatever comes before. */
  readonly after: string | null | undefined;
  /** What is asked; null where the server has told of it as a message. */
  readonly question: Question | null;
  /** Told of its conversation once it has begun; null where it did not begin. */
  readonly begun?: (conversationId: string | null) => void;
}

export class Chat {
  readonly conversationId = signal<string | null>(null);
  readonly conversation = signal<ConversationView | null>(null);
  readonly messages = signal<readonly MessageView[]>([]);
  /** The versions of a message, by the id of each of them. */
  readonly versions = signal<ReadonlyMap<string, readonly string[]>>(new Map());
  readonly live = signal<readonly LiveAnswer[]>([]);
  /** What events told of answers that have ended since the page was opened, by the message. */
  readonly told = signal<ReadonlyMap<string, Answer>>(new Map());
  readonly loading = signal(false);
  readonly problem = signal('');
  readonly drafts = new Drafts(this.conversationId);
  readonly #api: CartritaApiClient;
  readonly #news: News;
  /** Answers that are to be stopped as soon as it is known which run they are. */
  readonly #unwanted = new WeakSet<ChatStream>();

  constructor(api: CartritaApiClient, news: News) {
    this.#api = api;
    this.#news = news;
  }

  /** Shows another conversation, or none; what is being answered in the old one goes on without us. */
  async open(id: string | null): Promise<void> {
    if (id === this.conversationId.peek()) return;
    this.#leave();
    batch(() => {
      this.drafts.turn(this.conversationId.peek(), id);
      this.conversationId.value = id;
      this.conversation.value = null;
      this.messages.value = [];
      this.live.value = [];
      this.problem.value = '';
      this.loading.value = id !== null;
    });
    if (id !== null) await this.refresh();
  }

  /** Forgets all of it: somebody else signs in. */
  forget(): void {
    this.#leave();
    batch(() => {
      this.conversationId.value = null;
      this.conversation.value = null;
      this.messages.value = [];
      this.versions.value = new Map();
      this.live.value = [];
      this.told.value = new Map();
      this.problem.value = '';
      this.drafts.forget();
    });
  }

  /** Reads what the server has of it, and follows the answers that are being written. */
  async refresh(): Promise<void> {
    const id = this.conversationId.peek();
    if (id === null) return;
    await this.#reporting(async () => {
      const runs = await this.#api.listUnfinishedRuns(id);
      await this.#reload(id);
      if (id !== this.conversationId.peek()) return;
      const followed = new Set(this.live.peek().map((each) => each.stream.runId));
      if (followed.has(undefined)) return; // one of them may be that which is just being begun
      for (const run of runs.items.filter((each) => !followed.has(each.id))) {
        const stream = this.#api.getRunEvents(run.id, { after: 0 });
        this.#follow({ answer: signal(NOTHING_YET), stream, after: run.user_message_id, question: null });
      }
    });
    this.loading.value = false;
  }

  /** Follows answers that were begun elsewhere, if there are such. */
  async lookForOthers(): Promise<void> {
    const id = this.conversationId.peek();
    if (id === null) return;
    const runs = await this.#api.listUnfinishedRuns(id).catch(() => undefined);
    const followed = new Set(this.live.peek().map((each) => each.stream.runId));
    const isNew = runs?.items.some((each) => !followed.has(each.id)) && !followed.has(undefined);
    if (isNew && id === this.conversationId.peek()) await this.refresh();
  }

  send(question: Question, choices: Choices): void {
    const { agent, model, approval } = choices;
    const stream = this.#api.streamChat({
      message: question.text,
      ...(this.conversationId.peek() ? { conversation_id: this.conversationId.peek() } : {}),
      ...(question.attachments.length > 0 ? { attachments: question.attachments } : {}),
      ...(agent ? { agent_override: agent } : {}),
      ...(model ? { model } : {}),
      ...(approval ? { approval } : {}),
    });
    this.#follow({ answer: signal(NOTHING_YET), stream, after: undefined, question });
  }

  /** Follows the answer to what was said. */
  followSpoken(runId: string, text: string): void {
    const stream = this.#api.getRunEvents(runId, { after: 0 });
    const question = { text, attachments: [], spoken: true };
    this.#follow({ answer: signal(NOTHING_YET), stream, after: undefined, question });
  }

  /** Has an agent do something on a desktop: the conversation of that, or null if it did not begin. */
  doTask(text: string, { desktopId, model, approval }: TaskChoices): Promise<string | null> {
    const stream = this.#api.executeComputerTask({
      task: text,
      ...(desktopId ? { session_id: desktopId } : {}),
      ...(model ? { model } : {}),
      ...(approval ? { approval } : {}),
      stream: true,
    });
    const question = { text, attachments: [] };
    return new Promise((begun) => this.#follow({ answer: signal(NOTHING_YET), stream, after: undefined, question, begun }));
  }

  edit(message: MessageView, text: string): void {
    const stream = this.#api.editMessage(message.conversation_id, message.id, { content: text, stream: true });
    const question = { text, attachments: [] };
    this.#follow({ answer: signal(NOTHING_YET), stream, after: message.parent_id, question });
  }

  retry(message: MessageView): void {
    const stream = this.#api.retryMessage(message.conversation_id, message.id, { stream: true });
    const after = message.role === 'user' ? message.id : message.parent_id;
    this.#follow({ answer: signal(NOTHING_YET), stream, after, question: null });
  }

  /** Goes on with an answer that ended early. */
  async continue(message: MessageView): Promise<void> {
    const { run_id: runId } = message;
    if (runId === null) return;
    await this.#reporting(async () => {
      const run = await this.#api.continueRun(runId);
      const stream = this.#api.getRunEvents(run.id, { after: 0 });
      this.#follow({ answer: signal(NOTHING_YET), stream, after: message.parent_id, question: null });
    });
  }

  /** Makes another version of a message the one that is shown. */
  async select(messageId: string): Promise<void> {
    const id = this.conversationId.peek();
    if (id === null) return;
    await this.#reporting(async () => {
      await this.#api.selectBranch(id, messageId);
      await this.#reload(id);
      this.#news.tell(id);
    });
  }

  async stop(): Promise<void> {
    await this.#reporting(async () => {
      for (const { stream } of this.live.peek()) {
        if (stream.runId) await this.#api.cancelRun(stream.runId);
        else this.#unwanted.add(stream);
      }
    });
  }

  /** The decision counts for exactly the arguments that were shown. */
  async decide(live: LiveAnswer, approval: Approval, decision: Decision): Promise<void> {
    const { runId } = live.answer.peek();
    if (runId === null) return;
    await this.#reporting(async () => {
      const { approval_id, arguments_hash } = approval;
      await this.#api.decideOnApproval(runId, approval_id, { decision, arguments_hash });
      live.answer.value = decided(live.answer.peek(), approval_id, decision);
    });
  }

  /** How a stored answer came about, from the log of its run. */
  async recount(message: MessageView): Promise<void> {
    const { run_id: runId } = message;
    if (runId === null || this.told.peek().has(message.id)) return;
    await this.#reporting(async () => {
      let answer = NOTHING_YET;
      for await (const event of this.#api.getRunEvents(runId, { after: 0 })) answer = afterEvent(answer, event);
      this.#keep(message.id, answer);
    });
  }

  #follow(live: LiveAnswer): void {
    batch(() => {
      this.problem.value = '';
      this.live.value = [...this.live.peek(), live];
    });
    void this.#read(live);
  }

  /** Stops reading, but for what is still to be stopped. */
  #leave(): void {
    for (const { stream } of this.live.peek()) if (!this.#unwanted.has(stream)) stream.close();
  }

  async #read(live: LiveAnswer): Promise<void> {
    const shown = new Shown(live.answer);
    try {
      for await (const event of live.stream) {
        this.#stopUnwanted(live.stream);
        shown.take(afterEvent(shown.answer, event));
        if (event.event === 'stream_start') this.#begun(live, event.data.conversation_id);
      }
    } catch (error) {
      this.#broken(live, shown, error);
    }
    shown.now();
    live.begun?.(null);
    await this.#ended(live);
  }

  #stopUnwanted(stream: ChatStream): void {
    const { runId } = stream;
    if (!runId || !this.#unwanted.delete(stream)) return;
    void this.#reporting(async () => void (await this.#api.cancelRun(runId)));
  }

  #begun(live: LiveAnswer, conversationId: string): void {
    if (!this.live.peek().includes(live)) return;
    if (this.conversationId.peek() === null) this.conversationId.value = conversationId;
    live.begun?.(conversationId);
    const questionIsShown = live.question !== null || this.messages.peek().some((each) => each.id === live.after);
    if (!questionIsShown) void this.#reporting(() => this.#reload(conversationId));
    this.#news.tell(conversationId);
  }

  #broken(live: LiveAnswer, shown: Shown, error: unknown): void {
    if (!this.live.peek().includes(live) || isAbort(error)) return;
    const code = error instanceof CartritaApiError ? error.code : 'internal';
    shown.take({ ...shown.answer, failure: { error: messageOf(error), code, recoverable: true } });
    const { question } = live;
    if (live.stream.runId || !question) return;
    batch(() => {
      this.problem.value = sentenceOf(error);
      this.drafts.giveBack(question);
    });
  }

  /** Takes the message that the server has now instead of the answer that was being written. */
  async #ended(live: LiveAnswer): Promise<void> {
    const { failure, messageId } = live.answer.peek();
    if (messageId !== null) this.#keep(messageId, live.answer.peek());
    if (!this.live.peek().includes(live)) return;
    const id = this.conversationId.peek();
    const begun = live.stream.runId !== undefined;
    if (!begun) this.live.value = this.live.peek().filter((each) => each !== live);
    if (id === null || !(await this.#reporting(() => this.#reload(id, live)))) return;
    if (begun && failure && !this.messages.peek().some((each) => each.id === messageId)) {
      this.problem.value = withAdvice(failure.error, failure.code);
    }
    this.#news.tell(id);
  }

  #keep(messageId: string, answer: Answer): void {
    this.told.value = new Map(this.told.peek()).set(messageId, answer);
  }

  /** The answers that have ended are among the messages then. */
  async #reload(id: string, ended?: LiveAnswer): Promise<void> {
    const [conversation, branches, messages] = await Promise.all([
      this.#api.getConversation(id),
      this.#api.listBranches(id),
      all(this.#api.listMessages(id, { limit: 200 })),
    ]);
    if (id !== this.conversationId.peek()) return;
    const siblings = branches.items.map((each) => each.message_ids);
    batch(() => {
      this.conversation.value = conversation;
      this.messages.value = messages;
      this.live.value = this.live.peek().filter((each) => each !== ended && !hasEnded(each.answer.peek()));
      this.versions.value = new Map(siblings.flatMap((ids) => ids.map((each) => [each, ids] as const)));
    });
  }

  async #reporting(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.problem.value = sentenceOf(error);
      return false;
    }
  }
}

/** Shows an answer once for each picture that the browser draws, however many events come. */
class Shown {
  answer: Answer;
  readonly #signal: Signal<Answer>;
  #planned = 0;

  constructor(shown: Signal<Answer>) {
    this.#signal = shown;
    this.answer = shown.peek();
  }

  take(answer: Answer): void {
    // A decision that was made here is told by no event.
    const made = new Map(this.#signal.peek().approvals.map((each) => [each.approval_id, each]));
    this.answer = { ...answer, approvals: answer.approvals.map((each) => made.get(each.approval_id) ?? each) };
    this.#planned ||= requestAnimationFrame(() => this.now());
  }

  now(): void {
    cancelAnimationFrame(this.#planned);
    this.#planned = 0;
    this.#signal.value = this.answer;
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of items) found.push(each);
  return found;
}
