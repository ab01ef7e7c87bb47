/** `@cartrita/client`: what frontends import. */

export * from './client.js';
export * from './errors.js';
export * from './generated/errors.js';
export type * from './generated/types.js';
export { LiveSession } from './live.js';
export type { LiveOptions, LiveState } from './reconnection.js';
export { VoiceSession, type VoiceEvent, type VoiceOptions } from './voice.js';
export type { ProviderKeys } from './keys.js';
export type { RequestOptions, UploadOptions, UploadProgress } from './operation.js';
export { PageRequest, type Page } from './pages.js';
export type { ChatStreamEvent, TransportName } from './place.js';
export { ChatStream } from './stream.js';
