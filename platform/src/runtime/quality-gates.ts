import { type CleanInput, type CleanOutcome, cleanJob, releaseJob } from '../clean/index.ts'
import type { DeviceRow } from '../contracts/index.ts'
import type { JobContext } from '../lake/index.ts'
import {
  createBatchGates,
  discardWaiting,
  type Expectation,
  expectationsOf,
  type GateActor,
  type GateChange,
  type GateChanges,
  type GateEntry,
  type GateResult,
  type GateScope,
  judgeJob,
  waitingCounts,
} from '../quality/index.ts'
import type { Deployment } from './deployment.ts'

const changesSetting = 'quality.gates'
const positionsSetting = 'quality.positions'
/** Registry and gates under which waiting rows were last tried. */
const triedSetting = 'quality.release_tried'

const self = { id: 'self', role: 'system' } as const

/** What the owner of a deployment changed about its expectations. */
export async function gateChanges({ state }: Deployment): Promise<GateChanges> {
  return ((await state.settings.get(changesSetting)) ?? {}) as GateChanges
}

/** Changes one expectation of a deployment; an empty change puts it back. */
export async function changeGate(
  deployment: Deployment,
  gateId: string,
  change: GateChange,
  by: GateActor,
): Promise<GateChanges> {
  const { [gateId]: before = {}, ...others } = await gateChanges(deployment)
  const changes = Object.keys(change).length === 0 ? others : { ...others, [gateId]: change }
  await deployment.state.settings.set(changesSetting, changes)
  await deployment.state.gates.changed(gateId, before, change, by)
  return changes
}

/** Expectations of a deployment, its own changes applied. */
export async function deploymentExpectations(
  deployment: Deployment,
): Promise<readonly Expectation[]> {
  return expectationsOf(await gateChanges(deployment))
}

function isInScope({ site_id, firmware_version }: DeviceRow, { siteId, firmware }: GateScope) {
  return site_id === siteId && (firmware_version ?? '') === firmware
}

const scopeKey = ({ siteId, firmware }: GateScope) => JSON.stringify([siteId, firmware])

/** Carries out what people decided about rows that wait. */
async function carryOut(
  deployment: Deployment,
  context: JobContext,
  input: CleanInput,
  entry: GateEntry,
): Promise<void> {
  const { decision } = entry
  if (decision === undefined || decision.kind === 'retry') return
  const deviceIds = [
    ...new Set(
      input.devices.filter((row) => isInScope(row, entry.scope)).map((row) => row.device_id),
    ),
  ]
  if (decision.kind === 'release') {
    await releaseJob(context, input, { deviceIds, ignoresGates: true })
  } else await discardWaiting(context, deviceIds)
  const by = { id: decision.by, role: 'person' }
  await deployment.state.gates.clear(entry.entryId, by, decision.note)
}

/** Tries all waiting rows; what still waits without an entry that says so gets one. */
async function tryAgain(
  { fleet, state }: Deployment,
  context: JobContext,
  input: CleanInput,
  changes: GateChanges,
  known: readonly GateEntry[],
): Promise<void> {
  const found: GateResult[] = []
  const gates = createBatchGates(fleet, expectationsOf(changes), async (results) => {
    found.push(...results)
  })
  await releaseJob(context, { ...input, gates })
  const isKnown = new Set(known.map(({ scope }) => scopeKey(scope)))
  await state.gates.record(found.filter(({ scope }) => !isKnown.has(scopeKey(scope))))
}

/**
 * Rows that wait behind gates: decisions are carried out; the rest is tried again when the registry,
 * the gates or a person gave a reason to. An entry behind which nothing waits any more is closed.
 */
async function settleWaiting(
  deployment: Deployment,
  context: JobContext,
  input: CleanInput,
  changes: GateChanges,
): Promise<void> {
  const { state, lake } = deployment
  const entries = await state.gates.list({ status: 'open' })
  const waiting = entries.filter(({ holds }) => holds === 'rows')
  for (const entry of waiting) await carryOut(deployment, context, input, entry)
  const isAsked = waiting.some(({ decision }) => decision?.kind === 'retry')
  const key = JSON.stringify([input.registryVersion, changes])
  if (isAsked || (await state.settings.get(triedSetting)) !== key) {
    await tryAgain(deployment, context, input, changes, waiting)
    await state.settings.set(triedSetting, key)
  }
  const left = (await state.gates.list({ status: 'open' })).filter(({ holds }) => holds === 'rows')
  if (left.length === 0) return
  const counts = new Map(
    (await waitingCounts(lake, input.devices)).map(({ rowCount, ...scope }) => [
      scopeKey(scope),
      rowCount,
    ]),
  )
  for (const { entryId, scope } of left) {
    const rowCount = counts.get(scopeKey(scope)) ?? 0
    const tried = entries.find((entry) => entry.entryId === entryId)?.decision
    if (rowCount > 0) await state.gates.waits(entryId, rowCount, tried)
    else await state.gates.clear(entryId, self, 'its rows passed the gate and went on')
  }
}

/** The clean stage: new landing rows through the gates, then what waits behind them. */
export async function cleanStage(
  deployment: Deployment,
  context: JobContext,
  pinned: Pick<CleanInput, 'devices' | 'registryVersion'>,
): Promise<CleanOutcome> {
  const { fleet, state } = deployment
  const changes = await gateChanges(deployment)
  const gates = createBatchGates(fleet, expectationsOf(changes), state.gates.record)
  const input = { ...pinned, gates }
  const outcome = await cleanJob(context, input)
  await settleWaiting(deployment, context, input, changes)
  return outcome
}

/** Judges what is new in some tables and writes down what was found. */
export async function judgeTables(
  deployment: Deployment,
  tables: readonly string[],
): Promise<void> {
  const { lake, state, clock } = deployment
  const positions = ((await state.settings.get(positionsSetting)) ?? {}) as Record<string, number>
  const outcome = await judgeJob(lake, {
    devices: state.registry.devices(),
    expectations: await deploymentExpectations(deployment),
    tables,
    positions,
    nowMs: clock(),
  })
  await state.gates.record(outcome.results)
  await state.settings.set(positionsSetting, outcome.positions)
}

/** Whether a device may be scored: no gate holds back its site and firmware. */
export async function scoringFilter({ state }: Deployment): Promise<(row: DeviceRow) => boolean> {
  const open = await state.gates.list({ status: 'open' })
  const held = new Set(
    open.filter(({ holds }) => holds === 'scoring').map(({ scope }) => scopeKey(scope)),
  )
  return ({ site_id, firmware_version }) =>
    held.size === 0 || !held.has(scopeKey({ siteId: site_id, firmware: firmware_version ?? '' }))
}

/** Tables judged after each run of the pipeline; features are judged before they are scored. */
export const judgedTables = [
  'raw_sensor_readings',
  'clean_sensor_readings',
  'device_features',
  'model_scores',
  'device_alerts',
  'label_events',
] as const
