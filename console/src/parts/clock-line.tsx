import type { DeviceClockView } from 'isotherm/http'
import { useResource } from '../api/resource.ts'
import { clockSentence, isClockWrong } from '../view/clock-text.ts'

/** How right the clock of a unit is; nothing where the server does not know clocks. */
export function ClockLine({ deviceId }: { readonly deviceId: string }) {
  const path = `/api/v1/devices/${encodeURIComponent(deviceId)}/clock`
  const [clock] = useResource<DeviceClockView>(path)
  if (clock.kind !== 'ready') return null
  return (
    <p class={isClockWrong(clock.value) ? 'presence clock-wrong' : 'presence'}>
      {clockSentence(clock.value)}
    </p>
  )
}
