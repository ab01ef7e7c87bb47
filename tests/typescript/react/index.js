/** What the pages use of React: state that outlives a rendering, which the test asks for. */

const cells = [];
let at = 0;

export function rendered(component) {
  at = 0;
  return component();
}

export function useState(first) {
  const mine = at++;
  if (!(mine in cells)) cells[mine] = first;
  return [cells[mine], (value) => (cells[mine] = value)];
}

export function useRef(first) {
  const mine = at++;
  return (cells[mine] ??= { current: first });
}

/** What a component does once it is shown; these are never taken away. */
export function useEffect(effect) {
  const mine = at++;
  if (mine in cells) return;
  cells[mine] = true;
  effect();
}
