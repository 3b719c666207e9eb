import type { AlertView } from 'isotherm/http'
import { useMemo, useState } from 'preact/hooks'
import { useNow } from '../api/clock.ts'
import { useKeys } from '../api/keyboard.ts'
import { type AlertCard, alertCard } from '../view/alert-card.ts'
import { plural } from '../view/number-text.ts'
import { compareUrgency } from '../view/work-list.ts'
import { AlertCardView } from './alert-card.tsx'
import { AlertHistory } from './alert-history.tsx'
import { useCardActions } from './alert-list.tsx'

/** Alerts of one unit: the active ones first, the earlier ones behind a fold. */
export function DeviceAlerts(props: {
  readonly alerts: readonly AlertView[]
  readonly revision: number
  readonly afterwards: () => void
}) {
  const nowMs = useNow(5000)
  const [focused, setFocused] = useState('')
  const { begin, dialog } = useCardActions(props.afterwards)
  const cards = useMemo(
    () => props.alerts.toSorted(compareUrgency).map((alert) => alertCard(alert, nowMs)),
    [props.alerts, nowMs],
  )
  const active = cards.filter((card) => !card.isClosed)
  const earlier = cards.filter((card) => card.isClosed)
  const current = cards.find(({ alertId }) => alertId === focused) ?? active[0]
  useKeys({
    a: () => begin('acknowledge', current),
    s: () => begin('start', current),
    r: () => begin('resolve', current),
    f: () => begin('false-positive', current),
  })
  const one = (card: AlertCard) => (
    <div key={card.alertId} class="alert-with-history">
      <AlertCardView
        card={card}
        isFocused={false}
        isOnDevice
        onAction={(action) => begin(action, card)}
        onFocus={() => setFocused(card.alertId)}
      />
      <HistoryFold alertId={card.alertId} revision={props.revision} />
    </div>
  )
  if (cards.length === 0) return null
  return (
    <section class="device-alerts" aria-label="Alerts of this unit">
      {active.map(one)}
      {earlier.length > 0 && (
        <details>
          <summary>{plural(earlier.length, 'earlier alert')}</summary>
          {earlier.map(one)}
        </details>
      )}
      {dialog}
    </section>
  )
}

function HistoryFold(props: { readonly alertId: string; readonly revision: number }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details class="fold" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Details and history</summary>
      {isOpen && <AlertHistory alertId={props.alertId} revision={props.revision} />}
    </details>
  )
}
