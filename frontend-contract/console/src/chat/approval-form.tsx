/** Asks a person whether a tool may do something, with exactly what it would do. */

import { useSignal } from '@preact/signals';

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
  if (approval.decision) {
    return <p class="notice">{approval.decision === 'approve' ? 'You approved' : 'You denied'} {approval.tool_name}.</p>;
  }
  return (
    <section class="approval" aria-label={`Decision on ${approval.tool_name}`}>
      <h3>May {approval.tool_name} do this?</h3>
      <pre tabIndex={0}>{written(approval.arguments)}</pre>
      <p class="quiet">Without a decision until {momentOf(approval.expires_at)} it is denied.</p>
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
