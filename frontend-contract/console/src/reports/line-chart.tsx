/** Lines over time as SVG, with the same numbers as a table for who does not see lines. */

export interface Series {
  readonly name: string;
  readonly points: readonly { readonly at: number; readonly value: number | null }[];
}

interface ChartProps {
  readonly title: string;
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
}

const WIDTH = 600;
const HEIGHT = 220;
const LEFT = 84;
const BOTTOM = 26;
const TOP = 10;

export function LineChart({ title, series, format }: ChartProps) {
  const shown = series.filter((each) => each.points.some((point) => point.value !== null));
  const points = shown.flatMap((each) => each.points);
  return (
    <figure class="card">
      <figcaption>
        <h2>{title}</h2>
        <ul class="legend">
          {shown.map((each, index) => (
            <li key={each.name}>
              <svg viewBox="0 0 24 8" aria-hidden="true">
                <path class={`line line-${index % 6}`} d="M0 4h24" />
              </svg>
              {each.name}
            </li>
          ))}
        </ul>
      </figcaption>
      {points.length === 0 ? <p class="quiet">Nothing was measured.</p> : <Lines title={title} series={shown} format={format} />}
      {points.length > 0 && <Numbers series={shown} format={format} />}
    </figure>
  );
}

function Lines({ title, series, format }: ChartProps) {
  const points = series.flatMap((each) => each.points);
  const times = points.map((each) => each.at);
  const [start, end] = [Math.min(...times), Math.max(...times)];
  const top = ceiling(Math.max(...points.map((each) => each.value ?? 0)));
  const x = (at: number) => (end === start ? (LEFT + WIDTH) / 2 : LEFT + ((at - start) / (end - start)) * (WIDTH - LEFT - 12));
  const y = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP);
  const label = (at: number) => new Date(at).toLocaleDateString([], { month: 'short', day: 'numeric' });
  return (
    <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${title} over time; the numbers are below`}>
      {[0, 0.5, 1].map((part) => (
        <g key={part}>
          <path class="grid" d={`M${LEFT} ${y(top * part)}H${WIDTH}`} />
          <text x={LEFT - 8} y={y(top * part) + 5} text-anchor="end">{format(top * part)}</text>
        </g>
      ))}
      <text x={LEFT} y={HEIGHT - 6}>{label(start)}</text>
      {end > start && <text x={WIDTH} y={HEIGHT - 6} text-anchor="end">{label(end)}</text>}
      {series.map((each, index) => {
        const known = each.points.filter((point) => point.value !== null);
        const spots = known.map(({ at, value }) => [x(at), y(value ?? 0)] as const);
        return (
          <g key={each.name} class={`line line-${index % 6}`}>
            <path d={`M${spots.map((spot) => spot.join(' ')).join('L')}`} />
            {spots.length < 60 && spots.map(([cx, cy]) => <circle key={cx} cx={cx} cy={cy} r={3} />)}
          </g>
        );
      })}
    </svg>
  );
}

function Numbers({ series, format }: Omit<ChartProps, 'title'>) {
  const times = [...new Set(series.flatMap((each) => each.points.map((point) => point.at)))].sort((a, b) => b - a);
  const at = (each: Series, time: number) => each.points.find((point) => point.at === time)?.value ?? null;
  return (
    <details>
      <summary>Numbers</summary>
      <div class="wide" tabIndex={0} role="group" aria-label="Numbers">
        <table>
          <thead>
            <tr>
              <th scope="col">From</th>
              {series.map((each) => (
                <th key={each.name} scope="col">{each.name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {times.map((time) => (
              <tr key={time}>
                <th scope="row">{new Date(time).toLocaleString([], { dateStyle: 'short', timeStyle: 'short' })}</th>
                {series.map((each) => {
                  const value = at(each, time);
                  return <td key={each.name}>{value === null ? '–' : format(value)}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

/** The next round number, so that the axis has readable marks. */
function ceiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 5, 10].find((each) => each * power >= value) ?? 10) * power;
}
