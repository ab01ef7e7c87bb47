/** The places of what is to come. */

const SENTENCES = {
  voice: 'Speaking with the assistant, live, will have its place here. This server does not offer it yet.',
  desktop: 'Watching an agent at work on a desktop, and stopping it, will have its place here. This server does not offer it yet.',
} as const;

export function LaterView({ view }: { view: keyof typeof SENTENCES }) {
  return (
    <div class="report">
      <p class="notice">{SENTENCES[view]}</p>
    </div>
  );
}
