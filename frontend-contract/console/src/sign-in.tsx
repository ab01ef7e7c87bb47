/** The way in: a key, once, for a cookie. */

import { useSignal } from '@preact/signals';

import { Problem } from './parts/controls';
import { useConsole } from './state/console';

export function SignIn() {
  const { session } = useConsole();
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    busy.value = true;
    await session.signIn(String(new FormData(form).get('key')).trim());
    busy.value = false;
  };
  return (
    <main class="sign-in">
      <h1>Cartrita</h1>
      <p>
        The server prints a link for signing in each time it starts, and on <code>cartrita login</code>. A key does it, too.
      </p>
      <form onSubmit={(event) => void submit(event)}>
        <label for="key">API key</label>
        <input id="key" name="key" type="password" autocomplete="off" placeholder="ck_…" required autofocus />
        <Problem text={session.problem.value} />
        <button class="primary" disabled={busy.value}>
          Sign in
        </button>
      </form>
    </main>
  );
}
