/** What agents and tools did for an answer, in order: tasks with the tools that were used for them. */

import { actionsOf, COMPUTER, inWords } from '../desktop/actions';
import { secondsOf, written } from '../parts/sentences';
import type { AgentTask, Answer, Progress, ToolUse } from './answers';

export function Timeline({ answer }: { answer: Answer }) {
  const { tasks, tools } = answer;
  const own = tools.filter((each) => !each.taskId);
  if (own.length === 0 && tasks.length === 0) return null;
  const delegations = new Set(tasks.map((each) => each.call_id));
  return (
    <ol class="timeline" aria-label="Steps">
      {own
        .filter((each) => !delegations.has(each.id))
        .map((each) => (
          <Tool key={each.id} tool={each} />
        ))}
      {tasks.map((each) => (
        <Task key={each.task_id} task={each} tools={tools.filter((tool) => tool.taskId === each.task_id)} />
      ))}
    </ol>
  );
}

function Tool({ tool }: { tool: ToolUse }) {
  const { name, success, progress } = tool;
  return (
    <li class={`step ${stateOf(success)}`}>
      <details>
        <summary>
          <b>{name}</b> {name === COMPUTER && <span>{actionsOf(tool.arguments).map(inWords).join(', ')} </span>}
          <small>{stateOf(success)}</small>
          <ProgressBar progress={progress} label={name} />
        </summary>
        <h4>Arguments</h4>
        <pre tabIndex={0}>{written(tool.arguments)}</pre>
        {success !== undefined && (
          <>
            <h4>Result</h4>
            <pre tabIndex={0}>{written(tool.result)}</pre>
          </>
        )}
      </details>
    </li>
  );
}

function Task({ task, tools }: { task: AgentTask; tools: readonly ToolUse[] }) {
  const { agent_type: agent, description, success, seconds, progress, result } = task;
  return (
    <li class={`step task ${stateOf(success)}`}>
      <details>
        <summary>
          <b>{agent}</b> <span>{description}</span>{' '}
          <small>
            {stateOf(success)}
            {seconds !== undefined && ` · ${secondsOf(seconds)}`}
          </small>
          <ProgressBar progress={progress} label={agent} />
        </summary>
        {tools.length > 0 && (
          <ol class="timeline" aria-label={`Steps of ${agent}`}>
            {tools.map((each) => (
              <Tool key={each.id} tool={each} />
            ))}
          </ol>
        )}
        {result !== undefined && <p class="said">{result}</p>}
      </details>
    </li>
  );
}

function ProgressBar({ progress, label }: { progress: Progress | undefined; label: string }) {
  if (!progress) return null;
  return (
    <span class="progress">
      {progress.part !== null && <progress value={progress.part} max={1} aria-label={`Progress of ${label}`} />}
      <small>{progress.step}</small>
    </span>
  );
}

function stateOf(success: boolean | undefined): string {
  if (success === undefined) return 'running';
  return success ? 'done' : 'failed';
}
