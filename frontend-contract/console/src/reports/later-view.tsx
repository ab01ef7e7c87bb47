/** The place of what is to come. */

export function LaterView() {
  return (
    <div class="report">
      <p class="notice">
        Watching an agent at work on a desktop, and stopping it, will have its place here. This server does not offer it yet.
      </p>
    </div>
  );
}
