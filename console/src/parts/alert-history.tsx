import type { AlertDetail } from 'isotherm/http'
import { useResource } from '../api/resource.ts'
import { historyLine } from '../view/history-line.ts'

/** What became of an alert, step by step. Read when it is opened. */
export function AlertHistory(props: { readonly alertId: string; readonly revision: number }) {
  const [detail] = useResource<AlertDetail>(
    `/api/v1/alerts/${encodeURIComponent(props.alertId)}`,
    props.revision,
  )
  if (detail.kind === 'loading') return <p class="muted">Reading…</p>
  if (detail.kind === 'failed') return <p class="muted">{detail.reason}</p>
  const lines = detail.value.history.map(historyLine)
  return (
    <div class="history">
      <p>{detail.value.description}</p>
      {lines.length === 0 && <p class="muted">Nobody has acted on it yet.</p>}
      <ol>
        {lines.map((line) => (
          <li key={line.key} class={line.isRefused ? 'refused' : ''}>
            <time>{line.when}</time>
            <span>
              <strong>{line.who}</strong> {line.what}
              {line.note !== '' && <q>{line.note}</q>}
            </span>
          </li>
        ))}
      </ol>
    </div>
  )
}
