import type { LetterCounts, LetterList, ReplayReply } from 'isotherm/http'
import { useState } from 'preact/hooks'
import { useNow } from '../api/clock.ts'
import { getJson, postJson } from '../api/request.ts'
import { useResource } from '../api/resource.ts'
import { LetterPanel } from '../parts/letter-panel.tsx'
import { Empty, Failed, Late, Loading } from '../parts/page-states.tsx'
import { useConsole } from '../use-console.ts'
import {
  letterQuery,
  type ReasonRow,
  reasonRows,
  replaySentence,
} from '../view/dead-letter-rows.ts'
import { countText, plural } from '../view/number-text.ts'
import type { LetterFilters } from '../view/route.ts'
import { agoText } from '../view/time-text.ts'

const renewMs = 30_000
const shownCount = 40
/** Letters of one request and of one press of the button. */
const stepCount = 100
const mostCount = 10_000

type Change = (filters: LetterFilters) => void

function Reasons(props: {
  readonly rows: readonly ReasonRow[]
  readonly filters: LetterFilters
  readonly change: Change
}) {
  const nowMs = useNow(10_000)
  return (
    <section class="panel letters" aria-labelledby="reasons-title">
      <h2 id="reasons-title">By reason</h2>
      <ul class="reason-list">
        {props.rows.map((row) => {
          const isChosen = props.filters.reason === row.reason
          return (
            <li key={row.reason}>
              <button
                type="button"
                class="reason"
                aria-pressed={isChosen}
                onClick={() =>
                  props.change({
                    ...props.filters,
                    reason: isChosen ? '' : row.reason,
                    letter: '',
                  })
                }
              >
                <span class="reason-count">{countText(row.newCount)}</span>
                <span class="reason-name">{row.reason}</span>
                <span class="muted reason-meaning">{row.meaning}</span>
                <span class="muted reason-when">newest {agoText(row.newestMs, nowMs)}</span>
              </button>
              <button
                type="button"
                class="button"
                onClick={() => props.change({ ...props.filters, letter: row.sampleId })}
              >
                Sample
              </button>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

function Filters(props: { readonly filters: LetterFilters; readonly change: Change }) {
  const { filters, change } = props
  return (
    <search class="filters" aria-label="Filters">
      <input
        type="search"
        placeholder="Unit, its whole id"
        aria-label="Unit"
        value={filters.device}
        onChange={(event) => change({ ...filters, device: event.currentTarget.value.trim() })}
      />
      <select
        aria-label="Status"
        value={filters.status}
        onChange={(event) =>
          change({ ...filters, status: event.currentTarget.value as LetterFilters['status'] })
        }
      >
        <option value="new">Open</option>
        <option value="replayed">Stored after a replay</option>
        <option value="discarded">Given up</option>
        <option value="all">All</option>
      </select>
    </search>
  )
}

/** Tries every open letter of the filter again, in steps the server takes. */
async function replayAll(filters: LetterFilters): Promise<string | { readonly fault: string }> {
  const query = letterQuery({ ...filters, status: 'new' })
  const found = await getJson<{ readonly ids: readonly string[] }>(
    `/api/v1/dead-letters/ids?${query}&limit=${mostCount}`,
  )
  if (found.kind === 'failed') return { fault: found.reason }
  const results: ReplayReply['results'] = []
  for (let start = 0; start < found.value.ids.length; start += stepCount) {
    const letters = found.value.ids.slice(start, start + stepCount).map((id) => ({ id }))
    const key = crypto.randomUUID()
    const answer = await postJson<ReplayReply>('/api/v1/dead-letters/replay', { letters }, key)
    if (answer.kind === 'failed') return { fault: answer.reason }
    results.push(...answer.value.results)
  }
  return replaySentence(results)
}

function Letters(props: {
  readonly filters: LetterFilters
  readonly change: Change
  readonly revision: string
  readonly afterwards: () => void
}) {
  const { filters, change } = props
  const { say } = useConsole()
  const nowMs = useNow(10_000)
  const [isBusy, setBusy] = useState(false)
  const query = letterQuery(filters)
  const path = `/api/v1/dead-letters?${query === '' ? '' : `${query}&`}limit=${shownCount}`
  const [found, reload] = useResource<LetterList>(path, props.revision)
  if (found.kind === 'loading') return <Loading rows={4} height={44} />
  if (found.kind === 'failed') return <Failed reason={found.reason} retry={reload} />
  const letters = found.value.dead_letters
  const retry = async () => {
    setBusy(true)
    const outcome = await replayAll(filters)
    setBusy(false)
    if (typeof outcome === 'string') say(outcome)
    else say(outcome.fault, 'failed')
    props.afterwards()
  }
  return (
    <section class="panel letters" aria-labelledby="letters-title">
      <div class="panel-tools">
        <h2 id="letters-title">
          {letters.length === shownCount
            ? `The newest ${shownCount}`
            : plural(letters.length, 'message')}
        </h2>
        {letters.some(({ status }) => status === 'new') && (
          <button type="button" class="button primary" disabled={isBusy} onClick={retry}>
            {isBusy ? 'Trying …' : 'Try all that match again'}
          </button>
        )}
      </div>
      {found.fault !== undefined && <Late>{found.fault}</Late>}
      {letters.length === 0 && <p class="muted">Nothing here with these filters.</p>}
      <ol class="letter-list">
        {letters.map((letter) => (
          <li key={letter.id}>
            <button
              type="button"
              aria-pressed={filters.letter === letter.id}
              onClick={() => change({ ...filters, letter: letter.id })}
            >
              <span class="letter-device">{letter.device_id ?? 'unknown unit'}</span>
              <span class="muted">{agoText(Date.parse(letter.ingested_at), nowMs)}</span>
              <span class="letter-reason">{letter.reason}</span>
              <span class="muted letter-line">{letter.detail ?? ''}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  )
}

/** Messages that could not be read: how many and why, one to look at, and a second try. */
export function DeadLettersPage({ filters }: { readonly filters: LetterFilters }) {
  const { navigate, deviceRevision } = useConsole()
  const [ownRevision, setOwnRevision] = useState(0)
  const tick = Math.floor(useNow(renewMs) / renewMs)
  const revision = `${deviceRevision}:${tick}:${ownRevision}`
  const [counts, reload] = useResource<LetterCounts>('/api/v1/dead-letters/counts', revision)
  const change: Change = (next) => navigate({ page: 'dead-letters', filters: next }, 'replace')
  const afterwards = () => setOwnRevision((count) => count + 1)
  if (counts.kind === 'loading') return <Loading rows={5} height={60} />
  if (counts.kind === 'failed') return <Failed reason={counts.reason} retry={reload} />
  const rows = reasonRows(counts.value.counts)
  if (rows.length === 0) {
    return (
      <Empty title="Every message could be read" isGood>
        <p>Messages that cannot be read are kept here with their reason, to be tried again.</p>
      </Empty>
    )
  }
  const openCount = rows.reduce((sum, { newCount }) => sum + newCount, 0)
  return (
    <div class="page dead-letters">
      <div class="page-head">
        <h1>Dead letters</h1>
        <p class="summary">
          {openCount === 0
            ? 'No message waits to be looked at.'
            : `${plural(openCount, 'message')} could not be read and ${openCount === 1 ? 'waits' : 'wait'} to be tried again or given up.`}
        </p>
      </div>
      {counts.fault !== undefined && <Late>{counts.fault}</Late>}
      <Reasons rows={rows} filters={filters} change={change} />
      <Filters filters={filters} change={change} />
      <div class="letters-grid">
        <Letters filters={filters} change={change} revision={revision} afterwards={afterwards} />
        {filters.letter !== '' && (
          <LetterPanel
            id={filters.letter}
            revision={ownRevision}
            afterwards={afterwards}
            close={() => change({ ...filters, letter: '' })}
          />
        )}
      </div>
    </div>
  )
}
