import type { AlertActionPath } from 'isotherm/http'
import { useState } from 'preact/hooks'
import { actionForm } from '../view/action-form.ts'
import type { AlertCard } from '../view/alert-card.ts'
import { ActionDialog } from './action-dialog.tsx'
import { useAlertActions } from './alert-actions.ts'

/** An action that waits for its form. */
type PendingAction = { readonly action: AlertActionPath; readonly card: AlertCard }

/**
 * Starts actions on cards: at once if they need nothing, else through their form. `dialog` is the
 * form to draw, if one is open.
 */
export function useCardActions(afterwards: () => void) {
  const [pending, setPending] = useState<PendingAction>()
  const act = useAlertActions(afterwards)
  const begin = (action: AlertActionPath, card: AlertCard | undefined) => {
    if (card === undefined || !card.actions.includes(action)) return
    if (actionForm(action) === undefined) {
      void act(action, { alertId: card.alertId, version: card.version })
    } else setPending({ action, card })
  }
  const dialog =
    pending === undefined ? null : (
      <ActionDialog
        key={`${pending.action}:${pending.card.alertId}`}
        action={pending.action}
        subject={`${pending.card.deviceId}: ${pending.card.title}`}
        onClose={() => setPending(undefined)}
        onSend={(body) => {
          const { action, card } = pending
          setPending(undefined)
          void act(action, { alertId: card.alertId, version: card.version }, body)
        }}
      />
    )
  return { begin, dialog }
}
