/** What was used and paid, how long providers took, and what is left of budgets. */

import type { UsageReport, UsageTimeline } from '@cartrita/client';
import { useSignal, useSignalEffect } from '@preact/signals';

import { Problem } from '../parts/controls';
import { dollarsOf, numberOf, secondsOf, sentenceOf } from '../parts/sentences';
import { useConsole } from '../state/console';
import { LineChart, type Series } from './line-chart';

const HOUR_MS = 3_600_000;
const PERIODS = [
  { title: 'a day', hours: 24, step: 'hour' },
  { title: 'a week', hours: 24 * 7, step: 'hour' },
  { title: '30 days', hours: 24 * 30, step: 'day' },
  { title: 'a year', hours: 24 * 365, step: 'day' },
] as const;

type Interval = UsageTimeline['items'][number];

export function UsageView() {
  const { api } = useConsole();
  const chosen = useSignal(2);
  const report = useSignal<UsageReport | null>(null);
  const timeline = useSignal<readonly Interval[]>([]);
  const problem = useSignal('');
  useSignalEffect(() => {
    const { hours, step } = PERIODS[chosen.value] ?? PERIODS[2];
    const since = new Date(Date.now() - hours * HOUR_MS).toISOString();
    const ask = async () => {
      try {
        const told = await Promise.all([api.getUsage({ since }), api.getUsageTimeline({ since, step })]);
        report.value = told[0];
        timeline.value = told[1].items;
        problem.value = '';
      } catch (error) {
        problem.value = sentenceOf(error);
      }
    };
    void ask();
  });
  return (
    <div class="report">
      <label class="row">
        The last
        <select value={chosen.value} onChange={(event) => (chosen.value = Number(event.currentTarget.value))}>
          {PERIODS.map((each, index) => (
            <option key={each.title} value={index}>{each.title}</option>
          ))}
        </select>
      </label>
      <Problem text={problem.value} />
      <Plots items={timeline.value} />
      {report.value && <Models report={report.value} />}
      {report.value && <Budgets report={report.value} />}
    </div>
  );
}

function Plots({ items }: { items: readonly Interval[] }) {
  const of = (read: (interval: Interval) => number | null) => byProvider(items, read);
  const tokens = [...named('in', of((each) => each.input_tokens)), ...named('out', of((each) => each.output_tokens))];
  const seconds = [...named('p50', of((each) => each.seconds_p50)), ...named('p95', of((each) => each.seconds_p95))];
  const first = [
    ...named('p50', of((each) => each.first_token_seconds_p50)),
    ...named('p95', of((each) => each.first_token_seconds_p95)),
  ];
  return (
    <div class="plots">
      <LineChart title="Tokens" series={tokens} format={numberOf} />
      <LineChart title="Cost" series={of((each) => Number(each.cost))} format={dollarsOf} />
      <LineChart title="Time of whole calls" series={seconds} format={secondsOf} />
      <LineChart title="Time to the first token" series={first} format={secondsOf} />
    </div>
  );
}

function byProvider(items: readonly Interval[], read: (interval: Interval) => number | null): Series[] {
  const names = [...new Set(items.map((each) => each.provider))].sort();
  return names.map((name) => ({
    name,
    points: items
      .filter((each) => each.provider === name)
      .map((each) => ({ at: Date.parse(each.at), value: read(each) })),
  }));
}

function named(kind: string, series: readonly Series[]): Series[] {
  return series.map((each) => ({ ...each, name: `${each.name} ${kind}` }));
}

function Models({ report }: { report: UsageReport }) {
  return (
    <section class="card" aria-labelledby="by-model">
      <h2 id="by-model">By model</h2>
      <div class="wide" tabIndex={0} role="group" aria-labelledby="by-model">
        <table>
          <thead>
            <tr>
              {['Model', 'Calls', 'Tokens in', 'Tokens out', 'Cost'].map((each) => (
                <th key={each} scope="col">{each}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {report.items.map((each) => (
              <tr key={each.name}>
                <th scope="row">{each.name}</th>
                <td>{numberOf(each.calls)}</td>
                <td>{numberOf(each.input_tokens)}</td>
                <td>{numberOf(each.output_tokens)}</td>
                <td>
                  {dollarsOf(Number(each.cost))}
                  {each.unpriced_calls > 0 && <small> and {each.unpriced_calls} calls without a price</small>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {report.items.length === 0 && <p class="quiet">No model was called.</p>}
    </section>
  );
}

function Budgets({ report }: { report: UsageReport }) {
  if (report.budgets.length === 0) return null;
  return (
    <section class="card" aria-labelledby="budgets">
      <h2 id="budgets">Budgets</h2>
      <ul>
        {report.budgets.map((each) => (
          <li key={`${each.subject}${each.period}${each.unit}`}>
            {each.subject}, {each.period}: {each.used} of {each.amount} {each.unit}{' '}
            <meter value={Number(each.used)} max={Number(each.amount)} aria-label={`Used of the ${each.period} of this ${each.subject}`} />
          </li>
        ))}
      </ul>
    </section>
  );
}
