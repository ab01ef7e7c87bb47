/** What is told to people: errors with advice, moments, sizes, money. */

import { CartritaApiError } from '@cartrita/client';

/** What went wrong, and what to do about it. */
export function sentenceOf(error: unknown): string {
  return withAdvice(messageOf(error), error instanceof CartritaApiError ? error.code : '');
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function withAdvice(sentence: string, code: string): string {
  return `${sentence} ${ADVICE[code] ?? ''}`.trim();
}

const ADVICE: Readonly<Record<string, string>> = {
  budget_exhausted: 'Usage shows your budgets, and when they begin anew.',
  cancelled: 'What was written is kept. Continue it, or try again.',
  deadline_exceeded: 'Continue the answer, or ask for less at once.',
  interrupted: 'What was written is kept. Continue it.',
  model_not_found: 'Choose another model under Options.',
  rate_limited: 'Wait a little, then try again.',
  unreachable: 'Check the network and whether the server runs; then try again.',
  upstream_auth: 'The provider refuses the server’s key: test it under Providers.',
  upstream_overloaded: 'Try again in a while, or choose another model.',
  upstream_quota: 'The account at the provider needs credit, or choose another model.',
  upstream_rate_limited: 'Wait a little, or choose another model.',
  upstream_unreachable: 'Providers shows which of them can be reached.',
};

export function momentOf(iso: string): string {
  const moment = new Date(iso);
  const today = moment.toDateString() === new Date().toDateString();
  return moment.toLocaleString([], today ? { timeStyle: 'short' } : { dateStyle: 'medium' });
}

export function sizeOf(bytes: number): string {
  const power = Math.min(3, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const amount = bytes / 1024 ** power;
  return `${amount.toFixed(amount < 10 && power > 0 ? 1 : 0)} ${['B', 'KiB', 'MiB', 'GiB'][power]}`;
}

export function secondsOf(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
}

export function numberOf(value: number): string {
  return value.toLocaleString([], { notation: value >= 100_000 ? 'compact' : 'standard' });
}

export function dollarsOf(value: number): string {
  return value.toLocaleString([], {
    style: 'currency',
    currency: 'USD',
    maximumFractionDigits: value > 0 && value < 1 ? 5 : 2,
  });
}

/** A tool's arguments or result, to be read. */
export function written(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}
