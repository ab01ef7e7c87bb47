/** Makes ids that nobody else makes, on every page: `crypto.randomUUID` is missing where plain HTTP brought it. */

export function randomId(): string {
  const octets = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(octets, (each) => each.toString(16).padStart(2, '0')).join('');
}
