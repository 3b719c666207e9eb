import type { AlertActionPath } from 'isotherm/http'
import { linkProps } from '../api/location.ts'
import { useConsole } from '../use-console.ts'
import { actionWords } from '../view/action-form.ts'
import type { AlertCard } from '../view/alert-card.ts'
import type { ContributorLine } from '../view/contributor-line.ts'
import { defaultRange } from '../view/time-range.ts'
import { SeverityMark } from './marks.tsx'
import { ValueBar } from './value-bar.tsx'

function Reason({ line }: { readonly line: ContributorLine }) {
  return (
    <li class="reason" aria-label={line.spoken}>
      <span class="reason-label">{line.label}</span>
      <span class="reason-value">
        {line.value}
        {line.excess !== '' && <em>{line.excess}</em>}
      </span>
      {line.bar === undefined ? <span /> : <ValueBar bar={line.bar} />}
      <span class="reason-normal">
        {line.normal}
        <span class="scope"> {line.scope}</span>
      </span>
    </li>
  )
}

const keys: Readonly<Partial<Record<AlertActionPath, string>>> = {
  acknowledge: 'a',
  start: 's',
  resolve: 'r',
  'false-positive': 'f',
}

/** One alert: what, where, why, until when, and what can be done. */
export function AlertCardView(props: {
  readonly card: AlertCard
  readonly isFocused: boolean
  /** On the device's own page the device is not named again. */
  readonly isOnDevice?: boolean
  readonly onAction: (action: AlertActionPath) => void
  readonly onFocus: () => void
}) {
  const { card } = props
  const { navigate } = useConsole()
  const device = { page: 'device', deviceId: card.deviceId, range: defaultRange } as const
  const actions = card.actions.filter((action) => props.isOnDevice || action !== 'confirm')
  const hint = card.lines.find((line) => line.hint !== '')?.hint ?? ''
  const classes = [
    'card alert',
    `edge-${card.severity.toLowerCase()}`,
    props.isFocused ? 'focused' : '',
    card.isSuppressed || card.isClosed ? 'quiet' : '',
  ]
  return (
    <article
      id={`alert-${card.alertId}`}
      data-alert-id={card.alertId}
      class={classes.join(' ')}
      aria-label={`${card.severityWord}: ${card.title}, ${card.deviceId}`}
      aria-current={props.isFocused ? 'true' : undefined}
      onFocusCapture={props.onFocus}
    >
      <header class="alert-head">
        <SeverityMark severity={card.severity} />
        <span class={`severity-word severity-${card.severity.toLowerCase()}`}>
          {card.severityWord}
        </span>
        {card.statusWord !== 'Open' && <span class="chip">{card.statusWord}</span>}
        {card.isSuppressed && <span class="chip">Suppressed</span>}
        {card.escalation !== '' && <span class="chip">{card.escalation}</span>}
        {card.countdown.text !== '' && (
          <span class={`countdown ${card.countdown.urgency}`}>{card.countdown.text}</span>
        )}
      </header>
      <h3>
        {props.isOnDevice === true ? (
          card.title
        ) : (
          <a {...linkProps(device, navigate)}>{card.title}</a>
        )}
      </h3>
      <p class="alert-place">
        {props.isOnDevice !== true && <span class="device-id">{card.deviceId}</span>}
        <span>{card.place}</span>
        <span title={card.sinceTitle}>{card.since}</span>
      </p>
      {card.lines.length === 0 ? (
        <p class="alert-text">{card.description}</p>
      ) : (
        <ul class="reasons" aria-label="Why">
          {card.lines.map((line) => (
            <Reason key={line.feature} line={line} />
          ))}
        </ul>
      )}
      {hint !== '' && <p class="hint">{hint}</p>}
      <footer class="alert-foot">
        <span class="muted evidence">{card.evidence}</span>
        <span class="buttons">
          {actions.map((action, index) => (
            <button
              key={action}
              type="button"
              class={index === 0 && !card.isClosed ? 'button primary' : 'button'}
              aria-keyshortcuts={keys[action]}
              onClick={() => props.onAction(action)}
            >
              {actionWords[action]}
            </button>
          ))}
        </span>
      </footer>
    </article>
  )
}
