import type { LedgerView } from 'isotherm/http'
import { useNow } from '../api/clock.ts'
import { useResource } from '../api/resource.ts'
import { Failed, Late, Loading } from '../parts/page-states.tsx'
import { useConsole } from '../use-console.ts'
import {
  hourText,
  type LedgerSums,
  ledgerSentence,
  reasonLines,
  recoveredSentence,
} from '../view/ledger-lines.ts'
import { countText } from '../view/number-text.ts'
import type { LedgerFilters } from '../view/route.ts'
import { agoText } from '../view/time-text.ts'

const renewMs = 15_000
const spans = [
  ['1', 'This hour'],
  ['24', '24 hours'],
  ['168', '7 days'],
] as const

function Term(props: { readonly count: number; readonly name: string; readonly kind: string }) {
  return (
    <span class={`term ${props.kind}`}>
      <b>{countText(props.count)}</b>
      <span>{props.name}</span>
    </span>
  )
}

function Equation({ sums }: { readonly sums: LedgerSums }) {
  const isBalanced = sums.difference === 0
  return (
    <div class={isBalanced ? 'equation' : 'equation wrong'}>
      <Term count={sums.received} name="received" kind="received" />
      <span class="sign">{isBalanced ? '=' : '≠'}</span>
      <Term count={sums.stored} name="stored" kind="stored" />
      <span class="sign">+</span>
      <Term count={sums.duplicate} name="duplicate" kind="duplicate" />
      <span class="sign">+</span>
      <Term count={sums.rejected} name="rejected" kind="rejected" />
      {!isBalanced && (
        <span class="gap">
          {sums.difference > 0 ? 'missing ' : 'surplus '}
          {countText(Math.abs(sums.difference))}
        </span>
      )}
    </div>
  )
}

function Reasons({ sums }: { readonly sums: LedgerSums }) {
  const lines = reasonLines(sums)
  if (lines.length === 0) return null
  return (
    <ul class="ledger-reasons" aria-label="Rejected, by reason">
      {lines.map(({ reason, count }) => (
        <li key={reason}>
          <b>{countText(count)}</b> {reason}
        </li>
      ))}
    </ul>
  )
}

function Table(props: {
  readonly name: string
  readonly first: string
  readonly lines: readonly (LedgerSums & { readonly key: string; readonly label: string })[]
  readonly choose?: (key: string) => void
}) {
  const { choose } = props
  return (
    <section class="panel" aria-label={props.name}>
      <h2>{props.name}</h2>
      <div class="ledger-scroll">
        <table class="ledger-table">
          <thead>
            <tr>
              <th scope="col">{props.first}</th>
              <th scope="col">received</th>
              <th scope="col">stored</th>
              <th scope="col">duplicate</th>
              <th scope="col">rejected</th>
              <th scope="col">difference</th>
            </tr>
          </thead>
          <tbody>
            {props.lines.map((line) => (
              <tr key={line.key} class={line.difference === 0 ? '' : 'wrong'}>
                <th scope="row">
                  {choose === undefined || line.key === '' ? (
                    line.label
                  ) : (
                    <button type="button" onClick={() => choose(line.key)}>
                      {line.label}
                    </button>
                  )}
                </th>
                <td>{countText(line.received)}</td>
                <td>{countText(line.stored)}</td>
                <td>{countText(line.duplicate)}</td>
                <td>{countText(line.rejected)}</td>
                <td>{line.difference === 0 ? '0' : String(line.difference)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function Books({ view, filters }: { readonly view: LedgerView; readonly filters: LedgerFilters }) {
  const { navigate } = useConsole()
  const nowMs = useNow(10_000)
  const recovered = recoveredSentence(view.total)
  const choose = (device: string) => navigate({ page: 'ledger', filters: { ...filters, device } })
  return (
    <>
      <section class="panel" aria-label="Equation">
        <Equation sums={view.total} />
        <Reasons sums={view.total} />
        <p class="muted">
          {recovered !== '' && `${recovered} `}
          {view.as_of !== null &&
            `Compared with the log ${agoText(Date.parse(view.as_of), nowMs)}.`}
        </p>
      </section>
      {view.devices.length > 0 && (
        <Table
          name="Units to look at"
          first="unit"
          choose={choose}
          lines={view.devices.map((line) => ({
            ...line,
            key: line.device_id,
            label: line.device_id === '' ? 'no unit named' : line.device_id,
          }))}
        />
      )}
      {view.hours.length > 0 && (
        <Table
          name="By hour"
          first="hour, UTC"
          lines={view.hours
            .toReversed()
            .map((line) => ({ ...line, key: line.start, label: hourText(line.start) }))}
        />
      )}
    </>
  )
}

/** The loss ledger: what came in and what became of it, as an equation. */
export function LedgerPage({ filters }: { readonly filters: LedgerFilters }) {
  const { navigate } = useConsole()
  const tick = Math.floor(useNow(renewMs) / renewMs)
  const change = (next: LedgerFilters) => navigate({ page: 'ledger', filters: next }, 'replace')
  const device = filters.device === '' ? '' : `&device=${encodeURIComponent(filters.device)}`
  const path = `/api/v1/ledger?hours=${filters.hours}${device}`
  const [found, reload] = useResource<LedgerView>(path, String(tick))
  return (
    <div class="page ledger">
      <div class="page-head">
        <h1>Ledger{filters.device !== '' && `: ${filters.device}`}</h1>
        {found.kind === 'ready' && <p class="summary">{ledgerSentence(found.value)}</p>}
      </div>
      <search class="filters" aria-label="Filters">
        <input
          type="search"
          placeholder="Unit, its whole id"
          aria-label="Unit"
          value={filters.device}
          onChange={(event) => change({ ...filters, device: event.currentTarget.value.trim() })}
        />
        <select
          aria-label="Time"
          value={filters.hours}
          onChange={(event) => change({ ...filters, hours: event.currentTarget.value })}
        >
          {spans.map(([hours, text]) => (
            <option key={hours} value={hours}>
              {text}
            </option>
          ))}
        </select>
      </search>
      {found.kind === 'loading' && <Loading rows={3} height={90} />}
      {found.kind === 'failed' && <Failed reason={found.reason} retry={reload} />}
      {found.kind === 'ready' && (
        <>
          {found.fault !== undefined && <Late>{found.fault}</Late>}
          <Books view={found.value} filters={filters} />
        </>
      )}
    </div>
  )
}
