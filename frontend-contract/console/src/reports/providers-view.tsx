/** Which providers there are, how they are, and a test of the way to each. */

import type { ProviderCheck, ProviderView } from '@cartrita/client';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { Problem } from '../parts/controls';
import { secondsOf, sentenceOf } from '../parts/sentences';
import { useConsole } from '../state/console';

const EVERY_MS = 15_000;

export function ProvidersView() {
  const { api } = useConsole();
  const providers = useSignal<readonly ProviderView[] | null>(null);
  const problem = useSignal('');
  useEffect(() => {
    const look = async () => {
      try {
        providers.value = (await api.listProviders()).providers;
        problem.value = '';
      } catch (error) {
        problem.value = sentenceOf(error);
      }
    };
    void look();
    const timer = setInterval(() => !document.hidden && void look(), EVERY_MS);
    return () => clearInterval(timer);
  }, [api]);
  return (
    <div class="report">
      <p class="quiet">The preferred one comes first. Health is what the process that answered has seen.</p>
      <Problem text={problem.value} />
      {providers.value?.map((each) => <Provider key={each.name} provider={each} />)}
    </div>
  );
}

function Provider({ provider }: { provider: ProviderView }) {
  const { session } = useConsole();
  const { name, base_url: address, default_model: model, has_credential: withKey, health, models } = provider;
  const well = health.length === 0;
  return (
    <section class="card" aria-label={name}>
      <div class="row between">
        <h2>{name}</h2>
        <span class={well ? 'badge good' : 'badge bad'}>{well ? 'no failures' : `${health.length} failing`}</span>
      </div>
      <dl>
        <dt>Address</dt>
        <dd>{address ?? 'within this server'}</dd>
        <dt>Models</dt>
        <dd>
          {models ?? 'unknown'}
          {model && `, usually ${model}`}
        </dd>
        <dt>Credential</dt>
        <dd>{withKey ? 'yes' : 'none'}</dd>
      </dl>
      {!well && (
        <ul>
          {health.map((each) => (
            <li key={each.model}>
              <b>{each.model}</b> is {each.state} after {each.failures} failures (<code>{each.code}</code>)
              {each.seconds > 0 && `, called again in ${secondsOf(each.seconds)}`}
            </li>
          ))}
        </ul>
      )}
      {session.me.value?.operator && <Check name={name} />}
    </section>
  );
}

function Check({ name }: { name: string }) {
  const { api } = useConsole();
  const report = useSignal<ProviderCheck | null>(null);
  const problem = useSignal('');
  const busy = useSignal(false);
  const check = async () => {
    busy.value = true;
    try {
      report.value = await api.checkProvider(name);
      problem.value = '';
    } catch (error) {
      problem.value = sentenceOf(error);
    }
    busy.value = false;
  };
  return (
    <>
      <button type="button" disabled={busy.value} onClick={() => void check()}>
        Test the connection
      </button>
      <Problem text={problem.value} />
      <ul role="status">
        {report.value?.steps.map((each) => (
          <li key={each.name}>
            <span class={each.ok ? 'badge good' : 'badge bad'}>{each.ok ? 'works' : 'fails'}</span> {each.name}: {each.detail}{' '}
            {each.advice} <small>{secondsOf(each.seconds)}</small>
          </li>
        ))}
      </ul>
    </>
  );
}
