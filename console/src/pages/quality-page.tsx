import type { GateEntryView, QualityView, SensorListView } from 'isotherm/http'
import { useState } from 'preact/hooks'
import { useNow } from '../api/clock.ts'
import { linkProps } from '../api/location.ts'
import { postJson } from '../api/request.ts'
import { useResource } from '../api/resource.ts'
import { Empty, Failed, Late, Loading } from '../parts/page-states.tsx'
import { useConsole } from '../use-console.ts'
import { countText } from '../view/number-text.ts'
import {
  type GateLine,
  gateLines,
  partLines,
  qualitySentence,
  shareText,
} from '../view/quality-rows.ts'
import type { QualityFilters } from '../view/route.ts'
import { defaultRange } from '../view/time-range.ts'
import { agoText } from '../view/time-text.ts'

const renewMs = 30_000
const firstSensorCount = 50

const decisions = [
  ['retry', 'Judge again', 'Judge the rows that wait by the registry and limits of now'],
  ['release', 'Take as they are', 'Let the rows through; values at fault become null'],
  ['discard', 'Leave out', 'Never use these rows; they stay in quarantine'],
] as const

function Gate({ line, reload }: { readonly line: GateLine; readonly reload: () => void }) {
  const { say } = useConsole()
  const nowMs = useNow(10_000)
  const [isBusy, setBusy] = useState(false)
  const decide = async (decision: string) => {
    setBusy(true)
    const answer = await postJson<GateEntryView>(
      `/api/v1/quality/gates/${encodeURIComponent(line.entryId)}/decision`,
      { decision, note: 'console' },
      crypto.randomUUID(),
    )
    setBusy(false)
    if (answer.kind === 'failed') say(answer.reason, 'failed')
    else say('Noted. The next run carries it out.')
    reload()
  }
  return (
    <li class={line.isHeld ? 'gate held' : 'gate'}>
      <span class="gate-id">{line.gateId}</span>
      <span class="gate-check">{line.check}</span>
      <span class="gate-where">
        {line.where}: {line.found}
      </span>
      <span class="gate-effect">{line.effect}</span>
      <span class="muted">since {agoText(line.sinceMs, nowMs)}</span>
      {line.isDecidable && (
        <span class="gate-buttons">
          {decisions.map(([decision, text, title]) => (
            <button
              key={decision}
              type="button"
              class="button"
              title={title}
              disabled={isBusy}
              onClick={() => void decide(decision)}
            >
              {text}
            </button>
          ))}
        </span>
      )}
    </li>
  )
}

function Gates({ view, reload }: { readonly view: QualityView; readonly reload: () => void }) {
  const lines = gateLines(view)
  return (
    <section class="panel" aria-labelledby="gates-title">
      <h2 id="gates-title">Open gates</h2>
      {lines.length === 0 && <p class="muted">Every expectation holds.</p>}
      <ul class="gates">
        {lines.map((line) => (
          <Gate key={line.entryId} line={line} reload={reload} />
        ))}
      </ul>
    </section>
  )
}

const groupings = [
  ['site', 'Sites'],
  ['firmware', 'Firmware'],
  ['both', 'Both'],
] as const

function Parts({
  view,
  filters,
}: {
  readonly view: QualityView
  readonly filters: QualityFilters
}) {
  const { navigate } = useConsole()
  return (
    <section class="panel" aria-labelledby="parts-title">
      <div class="panel-tools">
        <h2 id="parts-title">Where</h2>
        <fieldset class="segments" aria-label="Group by">
          {groupings.map(([by, text]) => (
            <button
              key={by}
              type="button"
              aria-pressed={filters.by === by}
              onClick={() => navigate({ page: 'quality', filters: { by } }, 'replace')}
            >
              {text}
            </button>
          ))}
        </fieldset>
      </div>
      <div class="wide-table">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">State</th>
              <th scope="col">Units</th>
              <th scope="col">Readings</th>
              <th scope="col">Out of range</th>
              <th scope="col">Waiting</th>
              <th scope="col">Set aside</th>
              <th scope="col">Weak</th>
              <th scope="col">Dead</th>
            </tr>
          </thead>
          <tbody>
            {partLines(view, filters.by).map((line) => (
              <tr key={line.name}>
                <th scope="row">{line.name}</th>
                <td class={`quality-${line.state}`}>{line.stateText}</td>
                <td>{countText(line.deviceCount)}</td>
                <td>{countText(line.readingCount)}</td>
                <td>{shareText(line.outsideShare)}</td>
                <td>{countText(line.waitingCount)}</td>
                <td>{countText(line.asideCount)}</td>
                <td>{countText(line.weakCount)}</td>
                <td>{countText(line.deadCount)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function Sensors({ view }: { readonly view: QualityView }) {
  const { navigate } = useConsole()
  const [list] = useResource<SensorListView>('/api/v1/quality/sensors?limit=500')
  const [shown, setShown] = useState(firstSensorCount)
  const faulty = list.kind === 'ready' ? list.value.sensors : []
  const gradedAt = list.kind === 'ready' ? list.value.graded_at : null
  const labels = new Map(view.sensors.map(({ sensor, label }) => [sensor, label]))
  return (
    <section class="panel" aria-labelledby="sensors-title">
      <h2 id="sensors-title">Sensors</h2>
      <p class="muted">
        {gradedAt === null
          ? 'Not graded yet: the service grades every night, isotherm quality sensors --grade now.'
          : `${countText(faulty.length)} weak or dead, graded ${gradedAt.slice(0, 16).replace('T', ' ')} UTC.`}
      </p>
      <ul class="sensor-rates">
        {view.sensors.map(({ sensor, label, null_rate: rate, weak_count, dead_count }) => (
          <li key={sensor}>
            <span>{label}</span>
            <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
              <rect width="100" height="4" rx="2" class="track" />
              <rect width={rate * 100} height="4" rx="2" class="fill" />
            </svg>
            <span class="muted">
              {shareText(rate)} missing, {weak_count} weak, {dead_count} dead
            </span>
          </li>
        ))}
      </ul>
      {faulty.length > 0 && (
        <div class="wide-table">
          <table>
            <thead>
              <tr>
                <th scope="col">Unit</th>
                <th scope="col">Sensor</th>
                <th scope="col">Grade</th>
                <th scope="col">Reason</th>
              </tr>
            </thead>
            <tbody>
              {faulty.slice(0, shown).map((one) => (
                <tr key={`${one.device_id} ${one.sensor}`}>
                  <th scope="row">
                    <a
                      {...linkProps(
                        { page: 'device', deviceId: one.device_id, range: defaultRange },
                        navigate,
                      )}
                    >
                      {one.device_id}
                    </a>
                  </th>
                  <td>{labels.get(one.sensor) ?? 'all sensors'}</td>
                  <td class={one.grade === 'dead' ? 'quality-held' : 'quality-warned'}>
                    {one.grade}
                  </td>
                  <td>
                    {one.reason.toLowerCase().replaceAll('_', ' ')}: {one.detail}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {faulty.length > shown && (
        <button type="button" class="button" onClick={() => setShown(shown + 200)}>
          Show more of {countText(faulty.length)}
        </button>
      )}
    </section>
  )
}

/** Gates, sensors, firmware and sites: whether the data can be believed, and what waits. */
export function QualityPage({ filters }: { readonly filters: QualityFilters }) {
  const { navigate } = useConsole()
  const renewal = Math.floor(useNow(renewMs) / renewMs)
  const [view, reload] = useResource<QualityView>('/api/v1/quality/report', String(renewal))
  return (
    <div class="quality page">
      <header class="page-head">
        <h1>Quality</h1>
        {view.kind === 'ready' && <p class="summary">{qualitySentence(view.value)}</p>}
        <a {...linkProps({ page: 'contracts', filters: { contract: '' } }, navigate)}>
          Data contracts
        </a>
      </header>
      {view.kind === 'loading' && <Loading rows={3} height={160} />}
      {view.kind === 'failed' && <Failed reason={view.reason} retry={reload} />}
      {view.kind === 'ready' && (
        <div class="quality-grid">
          {view.fault !== undefined && <Late>This may be out of date. {view.fault}</Late>}
          {view.value.total.device_count === 0 ? (
            <Empty title="No unit is registered yet" />
          ) : (
            <>
              <Gates view={view.value} reload={reload} />
              <Parts view={view.value} filters={filters} />
              <Sensors view={view.value} />
            </>
          )}
        </div>
      )}
    </div>
  )
}
