/** Asks a person whether a tool may do something, with exactly what it would do. */

import { useSignal } from '@preact/signals';

import { COMPUTER, HAND_OVER } from '../desktop/actions';
import { ActionsAsked, HandOverAsked } from '../desktop/asked';
import { momentOf, written } from '../parts/sentences';
import type { LiveAnswer } from '../state/chat';
import { useConsole } from '../state/console';
import type { Approval, Decision } from './answers';

export function ApprovalForm({ live, approval }: { live: LiveAnswer; approval: Approval }) {
  const { chat } = useConsole();
  const busy = useSignal(false);
  const decide = async (decision: Decision) => {
    busy.value = true;
    await chat.decide(live, approval, decision);
    busy.value = false;
  };
  const { tool_name: tool, decision } = approval;
  if (decision) {
    return <p class="notice">{decision === 'approve' ? 'You approved' : 'You denied'} {tool}.</p>;
  }
  if (tool === HAND_OVER) return <HandOverAsked approval={approval} busy={busy.value} onDeny={() => void decide('deny')} />;
  return (
    <section class="approval" aria-label={`Decision on ${tool}`}>
      <h3>May {tool === COMPUTER ? 'the agent' : tool} do this?</h3>
      {tool === COMPUTER ? <ActionsAsked approval={approval} /> : <pre tabIndex={0}>{written(approval.arguments)}</pre>}
      <p class="quiet">If nobody decides by {momentOf(approval.expires_at)}, that counts as a denial.</p>
      <div class="row">
        <button type="button" class="primary" disabled={busy.value} onClick={() => void decide('approve')}>
          Approve
        </button>
        <button type="button" class="dangerous" disabled={busy.value} onClick={() => void decide('deny')}>
          Deny
        </button>
      </div>
    </section>
  );
}
