/** What an agent asks a person on a desktop: whether it may act, and to take the desktop over. */

import type { Approval } from '../chat/answers';
import { momentOf, written } from '../parts/sentences';
import { useConsole } from '../state/console';
import { desktopAddress } from '../state/router';
import { actionsOf, checksOf, inWords } from './actions';
import { Picture } from './picture';

/** The screen as it is, where on it the agent would act, and each action in words. */
export function ActionsAsked({ approval }: { approval: Approval }) {
  const { arguments: given, screenshot_url: url, markers = [] } = approval;
  const checks = checksOf(given);
  return (
    <>
      {url && (
        <a href={url} target="_blank" rel="noopener noreferrer" title="See it in full size">
          <Picture url={url} label="The screen before it, with markers where it would act" markers={markers} />
        </a>
      )}
      <ol class="actions-asked" aria-label="What it would do">
        {actionsOf(given).map((each, index) => (
          <li key={index}>{inWords(each)}</li>
        ))}
      </ol>
      {checks.length > 0 && (
        <div class="problem">
          <p>The model’s vendor asks that a person check this. If you approve, you confirm that you did:</p>
          <ul aria-label="Checks of the vendor">
            {checks.map((each) => (
              <li key={each.id}>
                {each.message ?? each.code ?? each.id} {each.message && each.code && <code>{each.code}</code>}
              </li>
            ))}
          </ul>
        </div>
      )}
      <details>
        <summary>The exact arguments</summary>
        <pre tabIndex={0}>{written(given)}</pre>
      </details>
    </>
  );
}

interface HandOverProps {
  readonly approval: Approval;
  readonly busy: boolean;
  readonly onDeny: () => void;
}

/** The agent goes on when the desktop is handed back; there is nothing else to approve. */
export function HandOverAsked({ approval, busy, onDeny }: HandOverProps) {
  const { chat, desktops, router } = useConsole();
  const shown = desktops.shown.value;
  const desktop = shown?.conversation_id === chat.conversationId.value ? shown : desktops.of(chat.conversationId.value);
  const take = () => {
    if (!desktop) return;
    router.go(desktopAddress(desktop.id));
    void desktops.take(desktop.id);
  };
  return (
    <section class="approval" aria-label="The agent asks you to take over">
      <h3>The agent asks you to take the desktop over</h3>
      <p class="said">{String(approval.arguments['reason'] ?? '')}</p>
      <p class="quiet">It goes on when you hand the desktop back. If you have not by {momentOf(approval.expires_at)}, that counts as a denial.</p>
      {desktop?.control?.mine ? (
        <p class="notice">You control the desktop: hand it back when you are done.</p>
      ) : (
        <div class="row">
          <button type="button" class="primary" disabled={busy || !desktop} onClick={take}>
            Take over
          </button>
          <button type="button" class="dangerous" disabled={busy} onClick={onDeny}>
            Deny
          </button>
        </div>
      )}
    </section>
  );
}
