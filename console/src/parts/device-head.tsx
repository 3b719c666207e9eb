import type { DeviceView } from 'isotherm/http'
import { useNow } from '../api/clock.ts'
import { linkProps } from '../api/location.ts'
import { useConsole } from '../use-console.ts'
import { healthStates } from '../view/fleet-rows.ts'
import { noFleetFilters } from '../view/route.ts'
import { agoText } from '../view/time-text.ts'
import { HealthMark } from './marks.tsx'
import { ScoreCell } from './score-cell.tsx'

const trendWords: Readonly<Record<NonNullable<DeviceView['anomaly_trend']>, string>> = {
  increasing: 'rising over the last day',
  stable: 'steady over the last day',
  decreasing: 'falling over the last day',
}

/** Who the unit is and how it is now. */
export function DeviceHead({ device }: { readonly device: DeviceView }) {
  const { navigate } = useConsole()
  const nowMs = useNow(10_000)
  const state = healthStates.find(({ health }) => health === device.health_status)
  const site = { ...noFleetFilters, site: device.site_id }
  const heardMs = Date.parse(device.last_reading_timestamp ?? '')
  const facts = [
    device.model,
    device.firmware_version === null ? '' : `firmware ${device.firmware_version}`,
    device.install_date === null ? '' : `since ${device.install_date}`,
    device.status === 'active' ? '' : device.status,
  ].filter((fact) => fact !== '')
  return (
    <header class="device-head">
      <div>
        <h1>{device.device_id}</h1>
        <p class="alert-place">
          <a {...linkProps({ page: 'fleet', filters: site }, navigate)}>
            {device.site_name ?? device.site_id}
          </a>
          {facts.map((fact) => (
            <span key={fact}>{fact}</span>
          ))}
        </p>
      </div>
      <dl class="device-facts">
        <div>
          <dt>State</dt>
          <dd title={state?.meaning}>
            <HealthMark health={device.health_status} /> {state?.word}
          </dd>
        </div>
        <div>
          <dt>Score</dt>
          <dd>
            <ScoreCell score={device.latest_anomaly_score} />
            {device.anomaly_trend !== null && (
              <span class="muted">{trendWords[device.anomaly_trend]}</span>
            )}
          </dd>
        </div>
        <div>
          <dt>Newest reading</dt>
          <dd>{Number.isNaN(heardMs) ? 'none yet' : agoText(heardMs, nowMs)}</dd>
        </div>
      </dl>
    </header>
  )
}
