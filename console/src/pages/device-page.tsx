import type { AlertPage, DeviceView, FeaturesView, ReadingsView, ScoresView } from 'isotherm/http'
import { useMemo } from 'preact/hooks'
import { useNow } from '../api/clock.ts'
import { useResource } from '../api/resource.ts'
import { DeviceAlerts } from '../parts/device-alerts.tsx'
import { DeviceHead } from '../parts/device-head.tsx'
import { FeatureTable } from '../parts/feature-table.tsx'
import { HubPanel } from '../parts/hub-panel.tsx'
import { Failed, Late, Loading } from '../parts/page-states.tsx'
import { RangePicker } from '../parts/range-picker.tsx'
import { ScorePanel } from '../parts/score-panel.tsx'
import { SensorGrid } from '../parts/sensor-grid.tsx'
import { useConsole } from '../use-console.ts'
import { alertMarks } from '../view/chart-series.ts'
import { rangeBounds, type TimeRange } from '../view/time-range.ts'

/** Charts move on with the time this often. */
const renewMs = 60_000
const pointCount = 400

const query = (parameters: Readonly<Record<string, string | number>>) =>
  new URLSearchParams(
    Object.entries(parameters).map(([name, value]) => [name, String(value)]),
  ).toString()

/** Everything about one unit. */
export function DevicePage(props: { readonly deviceId: string; readonly range: TimeRange }) {
  const { deviceId, range } = props
  const { fleet, navigate, isDark, alertRevision, deviceRevision } = useConsole()
  const renewal = Math.floor(useNow(renewMs) / renewMs)
  const bounds = useMemo(() => rangeBounds(range, renewal * renewMs), [range, renewal])
  const base = `/api/v1/devices/${encodeURIComponent(deviceId)}`
  const span = {
    from: new Date(bounds.fromMs).toISOString(),
    to: new Date(bounds.toMs).toISOString(),
  }
  const revision = `${deviceRevision}:${renewal}`
  const [device, reloadDevice] = useResource<DeviceView>(base, `${revision}:${alertRevision}`)
  const [alerts, reloadAlerts] = useResource<AlertPage>(
    `/api/v1/alerts?${query({ device: deviceId, status: 'all', limit: 100 })}`,
    alertRevision,
  )
  const [readings, reloadReadings] = useResource<ReadingsView>(
    `${base}/readings?${query({ ...span, points: pointCount })}`,
    deviceRevision,
  )
  const [scores, reloadScores] = useResource<ScoresView>(
    `${base}/scores?${query(span)}`,
    deviceRevision,
  )
  const [features, reloadFeatures] = useResource<FeaturesView>(`${base}/features`, revision)
  const alertRows = alerts.kind === 'ready' ? alerts.value.alerts : undefined
  const marks = useMemo(() => alertMarks(alertRows ?? []), [alertRows])
  if (device.kind === 'failed') return <Failed reason={device.reason} retry={reloadDevice} />
  return (
    <div class="device page">
      {device.kind === 'ready' ? (
        <DeviceHead device={device.value} />
      ) : (
        <Loading rows={1} height={92} />
      )}
      {alerts.kind === 'loading' && <Loading rows={1} height={170} />}
      {alerts.kind === 'failed' && <Failed reason={alerts.reason} retry={reloadAlerts} />}
      {alertRows !== undefined && (
        <DeviceAlerts alerts={alertRows} revision={alertRevision} afterwards={reloadAlerts} />
      )}
      {alerts.kind !== 'loading' && (
        <>
          <RangePicker
            range={range}
            bounds={bounds}
            change={(next) => navigate({ page: 'device', deviceId, range: next }, 'replace')}
          />
          <div class="device-grid">
            <section class="panel" aria-labelledby="score-title">
              <h2 id="score-title">How unusual it was</h2>
              {scores.kind === 'loading' && <Loading rows={1} height={220} />}
              {scores.kind === 'failed' && <Failed reason={scores.reason} retry={reloadScores} />}
              {scores.kind === 'ready' && (
                <ScorePanel
                  scores={scores.value}
                  windows={fleet.window_minutes}
                  range={bounds}
                  marks={marks}
                  isDark={isDark}
                />
              )}
            </section>
            <section class="panel" aria-labelledby="features-title">
              <h2 id="features-title">Values against normal</h2>
              {features.kind === 'loading' && <Loading rows={8} height={38} />}
              {features.kind === 'failed' && (
                <Failed reason={features.reason} retry={reloadFeatures} />
              )}
              {features.kind === 'ready' && (
                <FeatureTable
                  features={features.value}
                  defaultMinutes={fleet.window_minutes[0] ?? 60}
                />
              )}
            </section>
          </div>
          <section aria-labelledby="sensors-title">
            <h2 id="sensors-title">Sensors</h2>
            {readings.kind === 'loading' && <Loading rows={4} height={180} />}
            {readings.kind === 'failed' && (
              <Failed reason={readings.reason} retry={reloadReadings} />
            )}
            {readings.kind === 'ready' && (
              <>
                {readings.fault !== undefined && <Late>{readings.fault}</Late>}
                <SensorGrid
                  readings={readings.value}
                  range={bounds}
                  marks={marks}
                  isDark={isDark}
                />
              </>
            )}
          </section>
          <HubPanel deviceId={deviceId} revision={revision} />
        </>
      )}
    </div>
  )
}
