import type { AlertActionPath, AlertDetail } from 'isotherm/http'
import { useCallback, useRef } from 'preact/hooks'
import { postJson } from '../api/request.ts'
import { useConsole } from '../use-console.ts'
import { doneWords } from '../view/action-form.ts'

/** A key of 128 random bits. Not `randomUUID`: that is missing on plain HTTP in a local network. */
function actionKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Which alert, as the person saw it. */
export type ActionTarget = { readonly alertId: string; readonly version: number }

/**
 * Sends an action with a key of its own and tells what became of it. A second press while the
 * first is under way does nothing.
 */
export function useAlertActions(afterwards: () => void) {
  const { say } = useConsole()
  const underway = useRef(new Set<string>())
  return useCallback(
    async (
      action: AlertActionPath,
      target: ActionTarget,
      body: Readonly<Record<string, string | boolean>> = {},
    ): Promise<boolean> => {
      if (underway.current.has(target.alertId)) return false
      underway.current.add(target.alertId)
      const answer = await postJson<AlertDetail>(
        `/api/v1/alerts/${encodeURIComponent(target.alertId)}/actions/${action}`,
        { ...body, expected_version: target.version },
        actionKey(),
      )
      underway.current.delete(target.alertId)
      if (answer.kind === 'ready') {
        const { warnings } = answer.value
        say([`${doneWords[action]}.`, ...warnings].join(' '))
      } else say(answer.reason, 'failed')
      afterwards()
      return answer.kind === 'ready'
    },
    [say, afterwards],
  )
}
