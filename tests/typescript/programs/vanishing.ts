/** Uploads a file that is deleted after it was chosen. */

import { openAsBlob, rmSync } from 'node:fs';
import { clientOf, given, outcome, tell } from './program.js';

interface Given {
  readonly base: string;
  readonly key: string;
  readonly file: string;
  readonly counted: boolean;
}

const { base, key, file, counted } = given<Given>();
const chosen = new File([await openAsBlob(file)], 'gone.txt');
rmSync(file);
const onProgress = counted ? () => undefined : undefined;
tell(await outcome(() => clientOf(base, key).uploadFile(chosen, undefined, { onProgress })));
