/** The fields of a form, as the texts that they are sent as. */

import type { FormFields } from './operation.js';

/** Lists and objects are JSON; what is not there is left out. */
export function textsOf(fields: object | undefined): FormFields {
  const given = Object.entries(fields ?? {}) as [string, unknown][];
  return given.map(([name, value]) => [name, textOf(value)] as const);
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
