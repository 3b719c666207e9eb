import type { GateEntryView, QualityPart, QualityView } from 'isotherm/http'
import { countText, plural } from './number-text.ts'
import type { QualityFilters } from './route.ts'

/** An open gate in words. */
export type GateLine = {
  readonly entryId: string
  readonly gateId: string
  readonly check: string
  readonly where: string
  readonly found: string
  readonly effect: string
  readonly isHeld: boolean
  /** Rows wait, so that a person may decide. */
  readonly isDecidable: boolean
  readonly decision: string | null
  readonly sinceMs: number
}

/** A share as people read it: two digits where it is small. */
export function shareText(share: number): string {
  const percent = share * 100
  return `${percent.toFixed(percent > 0 && percent < 10 ? 2 : 0)} %`
}

function whereText({ site_id, firmware_version }: GateEntryView): string {
  if (site_id === null) return 'Whole fleet'
  return firmware_version === null || firmware_version === ''
    ? site_id
    : `${site_id}, firmware ${firmware_version}`
}

function effectText({ holds, row_count, decision }: GateEntryView): string {
  if (decision !== null) return `${decision} is under way`
  if (holds === 'rows') return `${plural(row_count, 'row')} wait, features of it stand still`
  if (holds === 'scoring') return 'its units are not scored'
  return 'nothing stops'
}

const holdOrder = ['rows', 'scoring', 'nothing']

/** Open gates, those that hold something back first. */
export function gateLines(view: QualityView): readonly GateLine[] {
  const checks = new Map(view.expectations.map(({ id, check }) => [id, check]))
  return view.gates
    .filter(({ status }) => status === 'open')
    .toSorted((a, b) => holdOrder.indexOf(a.holds) - holdOrder.indexOf(b.holds))
    .map((entry) => ({
      entryId: entry.entry_id,
      gateId: entry.gate_id,
      check: checks.get(entry.gate_id) ?? '',
      where: whereText(entry),
      found: `${shareText(entry.value)}${entry.detail === null ? '' : ` ${entry.detail}`}, at most ${shareText(entry.limit)}`,
      effect: effectText(entry),
      isHeld: entry.holds !== 'nothing',
      isDecidable: entry.holds === 'rows' && entry.decision === null,
      decision: entry.decision,
      sinceMs: Date.parse(entry.opened_at),
    }))
}

/** A line of the table of sites or firmware. */
export type PartLine = {
  readonly name: string
  readonly state: QualityPart['state']
  readonly stateText: string
  readonly deviceCount: number
  readonly readingCount: number
  readonly outsideShare: number
  readonly waitingCount: number
  readonly asideCount: number
  readonly weakCount: number
  readonly deadCount: number
}

const stateWords = { held: 'Stands still', warned: 'Gate open', good: 'Good' } as const

function partName({ site_id, site_name, firmware_version }: QualityPart): string {
  const site = site_name ?? site_id
  const firmware = firmware_version === '' ? 'not known' : firmware_version
  return [site, firmware].filter((text) => text !== null).join(', ')
}

/** Sites, firmware or both, worst first as the server has them. */
export function partLines(view: QualityView, by: QualityFilters['by']): readonly PartLine[] {
  const parts = { site: view.sites, firmware: view.firmware, both: view.slices }[by]
  return parts.map((part) => ({
    name: partName(part),
    state: part.state,
    stateText: [stateWords[part.state], ...part.open_gate_ids].join(' '),
    deviceCount: part.device_count,
    readingCount: part.reading_count,
    outsideShare: (part.flags.RANGE_VIOLATION ?? 0) / Math.max(1, part.reading_count),
    waitingCount: part.waiting_count,
    asideCount: part.quarantined_count + part.dead_letter_count,
    weakCount: part.weak_sensor_count,
    deadCount: part.dead_sensor_count,
  }))
}

/** One sentence over the whole page. */
export function qualitySentence(view: QualityView): string {
  const open = view.gates.filter(({ status }) => status === 'open')
  const held = view.sites.filter(({ state }) => state === 'held').length
  const gates = open.length === 0 ? 'No gate is open' : `${plural(open.length, 'gate')} open`
  const still = held === 0 ? '' : `, ${plural(held, 'site')} held back`
  return `${gates}${still}; ${countText(view.total.reading_count)} readings in ${view.days} days.`
}
