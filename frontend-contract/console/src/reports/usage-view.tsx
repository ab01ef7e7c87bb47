/** What was used and paid, by whichever groups; how long it took, and what is left of budgets. */

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
const GROUPS = [
  { title: 'Model', by: 'model' },
  { title: 'Provider', by: 'provider' },
  { title: 'Agent', by: 'agent' },
  { title: 'Key', by: 'key' },
  { title: 'Conversation', by: 'conversation' },
  { title: 'Surface', by: 'surface' },
  { title: 'Day', by: 'day' },
] as const;
const ROWS = 100;
const LINES = 6;

type Group = (typeof GROUPS)[number];
type Interval = UsageTimeline['items'][number];

export function UsageView() {
  const { api } = useConsole();
  const chosen = useSignal(2);
  const grouped = useSignal(0);
  const told = useSignal<{ readonly group: Group; readonly report: UsageReport; readonly items: readonly Interval[] } | null>(null);
  const problem = useSignal('');
  useSignalEffect(() => {
    const { hours, step } = PERIODS[chosen.value] ?? PERIODS[2];
    const group = GROUPS[grouped.value] ?? GROUPS[0];
    const since = new Date(Date.now() - hours * HOUR_MS).toISOString();
    let current = true;
    const ask = async () => {
      try {
        const [report, timeline] = await Promise.all([
          api.getUsage({ since, group_by: group.by, limit: ROWS }),
          api.getUsageTimeline({ since, step, group_by: group.by === 'day' ? 'provider' : group.by }),
        ]);
        if (!current) return;
        told.value = { group, report, items: timeline.items };
        problem.value = '';
      } catch (error) {
        if (current) problem.value = sentenceOf(error);
      }
    };
    void ask();
    return () => {
      current = false;
    };
  });
  return (
    <div class="report">
      <div class="row">
        <label class="row">
          The last
          <select value={chosen.value} onChange={(event) => (chosen.value = Number(event.currentTarget.value))}>
            {PERIODS.map((each, index) => (
              <option key={each.title} value={index}>{each.title}</option>
            ))}
          </select>
        </label>
        <label class="row">
          by
          <select value={grouped.value} onChange={(event) => (grouped.value = Number(event.currentTarget.value))}>
            {GROUPS.map((each, index) => (
              <option key={each.by} value={index}>{each.title.toLowerCase()}</option>
            ))}
          </select>
        </label>
      </div>
      <Problem text={problem.value} />
      {told.value && <Plots items={told.value.items} />}
      {told.value && <Groups group={told.value.group} report={told.value.report} />}
      {told.value && <Budgets report={told.value.report} />}
    </div>
  );
}

function Plots({ items }: { items: readonly Interval[] }) {
  const lines = dearest(items);
  const of = (read: (interval: Interval) => number | null) => lines.map((line) => seriesOf(line, items, read));
  const tokens = [...named('in', of((each) => each.input_tokens)), ...named('out', of((each) => each.output_tokens))];
  const seconds = [...named('p50', of((each) => each.seconds_p50)), ...named('p95', of((each) => each.seconds_p95))];
  const first = [
    ...named('p50', of((each) => each.first_token_seconds_p50)),
    ...named('p95', of((each) => each.first_token_seconds_p95)),
  ];
  const priced = (each: Interval) => (each.unpriced_calls === each.calls ? null : Number(each.cost));
  return (
    <div class="plots">
      <LineChart title="Cost" series={of(priced)} format={dollarsOf} />
      <LineChart title="Tokens" series={tokens} format={numberOf} />
      <LineChart title="Time of whole calls" series={seconds} format={secondsOf} />
      <LineChart title="Time to the first token" series={first} format={secondsOf} />
    </div>
  );
}

interface Line {
  readonly key: string;
  readonly name: string;
}

/** As many groups as lines can be told apart, the dearest first; the table has all of them. */
function dearest(items: readonly Interval[]): readonly Line[] {
  const found = new Map<string, { name: string; cost: number; calls: number }>();
  for (const each of items) {
    const before = found.get(keyOf(each));
    const [cost, calls] = [(before?.cost ?? 0) + Number(each.cost), (before?.calls ?? 0) + each.calls];
    found.set(keyOf(each), { name: each.name, cost, calls });
  }
  const told = [...found].sort(([, one], [, other]) => other.cost - one.cost || other.calls - one.calls);
  const names = new Map<string, number>();
  return told.slice(0, LINES).map(([key, { name }]) => {
    const times = (names.get(name) ?? 0) + 1;
    names.set(name, times);
    return { key, name: times === 1 ? name : `${name} (${times})` };
  });
}

/** Two conversations may have one title. */
function keyOf(interval: Interval): string {
  return interval.id ?? `no ${interval.name}`;
}

function seriesOf(line: Line, items: readonly Interval[], read: (interval: Interval) => number | null): Series {
  const points = items
    .filter((each) => keyOf(each) === line.key)
    .map((each) => ({ at: Date.parse(each.at), value: read(each) }));
  return { name: line.name, points };
}

function named(kind: string, series: readonly Series[]): Series[] {
  return series.map((each) => ({ ...each, name: `${each.name} ${kind}` }));
}

function Groups({ group, report }: { group: Group; report: UsageReport }) {
  const shown = report.items.length;
  const items = group.by === 'day' ? [...report.items].sort((one, other) => other.name.localeCompare(one.name)) : report.items;
  const left = report.groups - shown;
  return (
    <section class="card" aria-labelledby="groups">
      <h2 id="groups">By {group.title.toLowerCase()}</h2>
      <div class="wide" tabIndex={0} role="group" aria-labelledby="groups">
        <table>
          <thead>
            <tr>
              {[group.title, 'Calls', 'Tokens in', 'Tokens out', 'Cost'].map((each) => (
                <th key={each} scope="col">{each}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {items.map((each) => (
              <tr key={each.id}>
                <th scope="row" class={each.id === null ? 'quiet' : undefined}>{each.name}</th>
                <td>{numberOf(each.calls)}</td>
                <td>{numberOf(each.input_tokens)}</td>
                <td>{numberOf(each.output_tokens)}</td>
                <td>{moneyOf(each.cost, each.calls, each.unpriced_calls)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">All</th>
              <td>{numberOf(report.total_calls)}</td>
              <td colSpan={2} />
              <td>{moneyOf(report.total_cost, report.total_calls, report.total_unpriced_calls)}</td>
            </tr>
          </tfoot>
        </table>
      </div>
      {shown === 0 && <p class="quiet">No model was called.</p>}
      {left > 0 && <p class="quiet">The dearest {shown} are shown; {left} more are in the sums.</p>}
    </section>
  );
}

/** What is known of a price; where nothing is, it is no zero. */
function moneyOf(cost: string, calls: number, unpriced: number) {
  if (unpriced === 0) return dollarsOf(Number(cost));
  if (unpriced === calls) return <small>unknown</small>;
  return (
    <>
      {dollarsOf(Number(cost))}
      <small> and {unpriced} calls without a price</small>
    </>
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
