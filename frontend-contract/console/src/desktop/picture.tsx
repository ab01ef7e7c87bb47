/** A picture of a desktop, with markers of where actions are. */

import type { ActionMarker } from '@cartrita/client';
import { useSignal } from '@preact/signals';

interface PictureProps {
  readonly url: string;
  /** What it shows, for those who do not see it. */
  readonly label: string;
  readonly markers: readonly ActionMarker[];
}

export function Picture({ url, label, markers }: PictureProps) {
  const size = useSignal({ width: 1280, height: 800 });
  const { width, height } = size.value;
  const loaded = ({ currentTarget: image }: { currentTarget: HTMLImageElement }) =>
    (size.value = { width: image.naturalWidth, height: image.naturalHeight });
  return (
    <div class="picture">
      <img src={url} alt={label} onLoad={loaded} />
      <svg viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        {markers.map((each) => (
          <Marker key={each.index} marker={each} numbered={markers.length > 1} />
        ))}
      </svg>
    </div>
  );
}

/** A ring around each place; of a drag the way too, of a part of the screen its frame. */
function Marker({ marker, numbered }: { marker: ActionMarker; numbered: boolean }) {
  const { points, action, index } = marker;
  const [first, second] = points;
  if (!first) return null;
  if (action === 'zoom' && second) {
    return <rect class="marker" x={first.x} y={first.y} width={second.x - first.x} height={second.y - first.y} />;
  }
  return (
    <g class="marker" data-action={action}>
      {points.length > 1 && <polyline points={points.map(({ x, y }) => `${x},${y}`).join(' ')} />}
      {points.map(({ x, y }, at) => (
        <g key={at}>
          <circle class="ring" cx={x} cy={y} r={at === 0 ? 30 : 18} />
          <circle class="dot" cx={x} cy={y} r={7} />
        </g>
      ))}
      {numbered && (
        <text x={first.x + 34} y={first.y - 18}>
          {index}
        </text>
      )}
    </g>
  );
}
