/**
 * Every operation, once, by the client: the compiler wants each of them in the table. What came over
 * the wire is told, so that the test can hold it against the contract.
 */

import { CartritaApiClient, type ChatStream, type DoneData } from '@cartrita/client';
import { clientOf, given, outcome, QUICK, tell } from './program.js';

/** The methods of the client that are operations: all but these. */
type Own = 'v1URL' | 'openLiveSession' | 'openVoice' | 'search';
type Operations = Exclude<keyof CartritaApiClient, Own> | 'search';

interface Given {
  readonly base: string;
  readonly key: string;
  readonly asks: string;
  readonly waits: string;
  readonly long: string;
  readonly credential: string;
  readonly image: string;
  readonly code: string;
  readonly recording: string;
}

const { base, key, asks, waits, long, credential, image, code, recording } = given<Given>();
const spoken = new File([bytesOf(recording)], 'spoken.wav', { type: 'audio/wav' });
let current: Operations | undefined;

/** The client's own fetch, which tells what it saw. */
async function witnessed(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const answer = await fetch(input, init);
  const isJson = answer.headers.get('content-type')?.includes('json') ?? false;
  const body: unknown = isJson ? await answer.clone().json() : null;
  tell({ called: current, method: init?.method, url: String(input), status: answer.status, body });
  return answer;
}

const client = clientOf(base, key, { fetch: witnessed });
const other = new CartritaApiClient(`${base}/api`, { apiKey: key, fetch: witnessed, patience: QUICK });

/** The server has none at all. */
const NO_DESKTOP = `desktop_${'0'.repeat(32)}`;

/** Things that one operation makes and others need. */
const made = {
  conversation: '',
  message: '',
  answer: '',
  file: '',
  picture: '',
  key: '',
  credential: '',
  tenant: `tenant-${crypto.randomUUID()}`,
  user: `user-${crypto.randomUUID()}`,
};

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

async function ended(stream: ChatStream): Promise<DoneData> {
  return stream.final();
}

/** A run that was stopped in the middle of its answer. */
async function stopped(): Promise<string> {
  const stream = client.streamChat({ message: long });
  for await (const { event } of stream) if (event === 'token') await client.cancelRun(stream.runId ?? '');
  return stream.runId ?? '';
}

/** An image is there once it has been read, and made anew. */
async function imageRead(fileId: string): Promise<void> {
  while (!(await client.getFile(fileId)).image_url) await new Promise((resume) => setTimeout(resume, 20));
}

/** In an order in which each finds what it needs. */
const CALLS: Record<Operations, () => PromiseLike<unknown>> = {
  getHealth: () => client.getHealth(),
  getReady: () => client.getReady(),
  getMe: () => other.getMe(),
  openSession: () => client.openSession(),
  issueStreamTicket: () => client.issueStreamTicket(),
  closeSession: () => client.closeSession(),
  getAgents: () => client.getAgents(),
  getAgent: () => client.getAgent('supervisor'),
  listModels: () => client.listModels(),
  listProviders: () => client.listProviders(),
  checkProvider: () => client.checkProvider('openai'),
  createConversation: async () => {
    made.conversation = (await client.createConversation({ title: 'Tea', tags: ['kitchen'] })).id;
  },
  getConversation: () => client.getConversation(made.conversation),
  changeConversation: () => client.changeConversation(made.conversation, { title: 'Green tea' }),
  replaceConversation: () => client.replaceConversation(made.conversation, { pinned: false }),
  archiveConversation: () => client.archiveConversation(made.conversation),
  unarchiveConversation: () => client.unarchiveConversation(made.conversation),
  pinConversation: () => client.pinConversation(made.conversation),
  unpinConversation: () => client.unpinConversation(made.conversation),
  sendMessage: async () => {
    const answer = await client.sendMessage(made.conversation, { message: asks });
    made.answer = answer.message_id;
    made.message = answer.message.parent_id ?? '';
    return ended(client.sendMessage(made.conversation, { message: asks, stream: true }));
  },
  listMessages: () => client.listMessages(made.conversation),
  getMessage: () => client.getMessage(made.conversation, made.answer),
  editMessage: async () => {
    await client.editMessage(made.conversation, made.message, { content: `${asks} Again.` });
    return ended(client.editMessage(made.conversation, made.message, { content: `${asks} Anew.`, stream: true }));
  },
  replaceMessage: () => client.replaceMessage(made.conversation, made.answer, { content: 'In other words.' }),
  retryMessage: async () => {
    await client.retryMessage(made.conversation, made.message);
    return ended(client.retryMessage(made.conversation, made.message, { stream: true }));
  },
  giveFeedback: () => client.giveFeedback(made.answer, { score: 1, comment: 'Good.' }),
  getFeedback: () => client.getFeedback(made.answer),
  deleteFeedback: () => client.deleteFeedback(made.answer),
  listBranches: () => client.listBranches(made.conversation),
  selectBranch: () => client.selectBranch(made.conversation, made.message),
  forkConversation: () => client.forkConversation(made.conversation),
  exportConversation: async () => (await client.exportConversation(made.conversation, { format: 'markdown' })).text(),
  listConversations: () => client.listConversations({ limit: 2 }),
  postChat: async () => {
    await client.postChat({ message: asks });
    return ended(client.postChat({ message: asks, stream: true }));
  },
  streamChat: () => ended(client.streamChat({ message: asks })),
  postHuggingfaceChat: async () => {
    await client.postHuggingfaceChat({ message: asks, model: 'fake' });
    return ended(client.postHuggingfaceChat({ message: asks, model: 'fake', stream: true }));
  },
  postCode: () => client.postCode({ task: code, language: 'python' }),
  getRun: async () => client.getRun(await stopped()),
  getRunEvents: async () => {
    const stream = client.streamChat({ message: asks });
    await ended(stream);
    return ended(client.getRunEvents(stream.runId ?? '', { after: 1 }));
  },
  listUnfinishedRuns: () => client.listUnfinishedRuns(made.conversation),
  cancelRun: async () => client.cancelRun(await stopped()),
  continueRun: async () => client.continueRun(await stopped()),
  decideOnApproval: async () => {
    for await (const event of client.streamChat({ message: waits, approval: 'always' })) {
      if (event.event !== 'approval_required') continue;
      const { approval_id, arguments_hash } = event.data;
      const runId = (event.id ?? '').replace(/\.\d+$/, '');
      await client.decideOnApproval(runId, approval_id, { decision: 'approve', arguments_hash });
    }
  },
  uploadFile: async () => {
    const file = new File(['The kettle sings.'], 'kettle.txt', { type: 'text/plain' });
    made.file = (await client.uploadFile(file, made.conversation)).file_id;
  },
  uploadFiles: async () => {
    const files = [new File([bytesOf(image)], 'dot.png', { type: 'image/png' }), new File(['one'], 'one.txt')];
    const { files: kept } = await client.uploadFiles(files);
    made.picture = kept[0]?.file_id ?? '';
  },
  listFiles: () => client.listFiles({ conversation_id: made.conversation }),
  getFile: () => client.getFile(made.file),
  getFileContent: async () => (await client.getFileContent(made.file)).text(),
  getFileImage: async () => {
    await imageRead(made.picture);
    return (await client.getFileImage(made.picture)).blob();
  },
  deleteFile: () => client.deleteFile(made.file),
  search: () => client.search('heliotrope'),
  searchOwnData: () => client.searchOwnData({ q: 'kettle', limit: 5 }),
  searchGithub: () => client.searchGithub({ q: 'cartrita', type: 'repositories' }),
  getUsage: () => client.getUsage({ group_by: 'model' }),
  getUsageTimeline: () => client.getUsageTimeline({ group_by: 'agent' }),
  createKey: async () => {
    made.key = (await client.createKey({ name: 'laptop' })).id;
  },
  listKeys: () => client.listKeys(),
  getKey: () => client.getKey(made.key),
  changeKey: () => client.changeKey(made.key, { name: 'desk' }),
  rotateKey: async () => {
    made.key = (await client.rotateKey(made.key, { overlap_seconds: 0 })).id;
  },
  revokeKey: () => client.revokeKey(made.key),
  exchangeCredential: async () => {
    made.credential = (await client.exchangeCredential({ provider: 'openai', key: credential })).credential.id;
  },
  listCredentials: () => client.listCredentials(),
  getCredential: () => client.getCredential(made.credential),
  rotateCredential: async () => {
    made.credential = (await client.rotateCredential(made.credential, { key: credential })).id;
  },
  revokeCredential: () => client.revokeCredential(made.credential),
  createTenant: () => client.createTenant({ id: made.tenant, name: 'Green' }),
  listTenants: () => client.listTenants(),
  getTenant: () => client.getTenant(made.tenant),
  changeTenant: () => client.changeTenant(made.tenant, { name: 'Greener' }),
  replaceTenantBudgets: () => client.replaceTenantBudgets(made.tenant, { day: { money: 5 } }),
  getTenantBudgets: () => client.getTenantBudgets(made.tenant),
  createUser: () => client.createUser({ id: made.user, tenant_id: made.tenant }),
  listUsers: () => client.listUsers({ tenant_id: made.tenant }),
  getUser: () => client.getUser(made.user),
  changeUser: () => client.changeUser(made.user, { name: 'Ann' }),
  replaceUserBudgets: () => client.replaceUserBudgets(made.user, { month: { tokens: 100 } }),
  getUserBudgets: () => client.getUserBudgets(made.user),
  createKeyOfUser: async () => {
    made.key = (await client.createKeyOfUser({ name: 'hers', owner_id: made.user })).id;
  },
  listAllKeys: () => client.listAllKeys({ owner_id: made.user }),
  getAnyKey: () => client.getAnyKey(made.key),
  changeAnyKey: () => client.changeAnyKey(made.key, { name: 'hers, too' }),
  replaceKeyBudgets: () => client.replaceKeyBudgets(made.key, { day: { money: 1 } }),
  getKeyBudgets: () => client.getKeyBudgets(made.key),
  rotateAnyKey: async () => {
    made.key = (await client.rotateAnyKey(made.key)).id;
  },
  revokeAnyKey: () => client.revokeAnyKey(made.key),
  listAuditLog: () => client.listAuditLog({ limit: 3 }),
  getAnalytics: () => client.getAnalytics({ step: 'week' }),
  deleteMessage: () => client.deleteMessage(made.conversation, made.message),
  deleteConversation: () => client.deleteConversation(made.conversation),
  getVoice: () => client.getVoice(),
  speak: async () => (await client.speak({ text: 'Moss grows on stones.' })).blob(),
  transcribe: () => client.transcribe(spoken, { language: 'en' }),
  processVoice: () => client.processVoice(spoken, { speak: true, format: 'wav' }),
  postChatVoice: async () => {
    await client.postChatVoice(spoken, { language: 'en' });
    return ended(client.postChatVoice(spoken, { stream: true }));
  },
  executeComputerTask: () => client.executeComputerTask({ task: 'Open the door.' }),
  createDesktop: () => client.createDesktop(),
  listDesktops: () => client.listDesktops({ limit: 1 }),
  getDesktop: () => client.getDesktop(NO_DESKTOP),
  controlDesktop: () => client.controlDesktop(NO_DESKTOP, { action: 'take' }),
  getScreenshot: async () => (await client.getScreenshot(NO_DESKTOP)).blob(),
  listFrames: () => client.listFrames(NO_DESKTOP),
  getFilm: async () => (await client.getFilm(NO_DESKTOP)).blob(),
  stopDesktop: () => client.stopDesktop(NO_DESKTOP),
  endDesktop: () => client.endDesktop(NO_DESKTOP),
};

for (const name of Object.keys(CALLS) as Operations[]) {
  current = name;
  tell({ done: name, ...(await outcome(CALLS[name])) });
}
