import type { BatchGates, HeldSlice, SliceFigures } from '../clean/index.ts'
import type { FleetDefinition } from '../contracts/index.ts'
import type { Expectation } from './expectation.ts'
import type { GateResult } from './gate-entry.ts'

/** Rows of a batch that are looked at, about: a share needs no more. */
const sampleRows = 500_000

type Holding = Expectation & { readonly hold: NonNullable<Expectation['hold']> }

function figureName(id: string): string {
  return id.replaceAll('.', '_')
}

/** Figures of the holding gates; shares are taken from a sample, faults that may not be from all. */
function figuresOf(
  fleet: FleetDefinition,
  holding: readonly Holding[],
  rowCount: number,
): Readonly<Record<string, string>> {
  const step = Math.max(1, Math.floor(rowCount / sampleRows))
  const isSampled = `hash(log_offset) % ${step} = 0`
  const entries = holding.map(({ id, hold }): readonly [string, string] => {
    const fault = `coalesce(${hold.fault(fleet)}, false)`
    if (hold.limit === 0 || step === 1) return [figureName(id), `count_if(${fault})`]
    // CASE, because it computes the fault for the sampled rows only.
    return [figureName(id), `count_if(CASE WHEN ${isSampled} THEN ${fault} END)`]
  })
  return Object.fromEntries([...entries, ['sampled', `count_if(${isSampled})`]])
}

function judgeSlice(
  holding: readonly Holding[],
  isSampled: boolean,
  { slice, rowCount, figures }: SliceFigures,
): readonly HeldSlice[] {
  return holding.flatMap(({ id, hold }) => {
    const looked = hold.limit === 0 || !isSampled ? rowCount : (figures.sampled ?? 0)
    const value = looked === 0 ? 0 : (figures[figureName(id)] ?? 0) / looked
    if (value <= hold.limit || slice.deviceCount < (hold.minDevices ?? 1)) return []
    return [{ slice, gateId: id, value, limit: hold.limit, rowCount }]
  })
}

/**
 * The gates before the clean table: expectations with a `hold`, judged per site and firmware in the
 * pass that cleansing makes anyway. Shares of large batches come from a sample by log offset, the
 * same on every run.
 * @param record told of what is held, before it is committed
 */
export function createBatchGates(
  fleet: FleetDefinition,
  expectations: readonly Expectation[],
  record: (results: readonly GateResult[]) => Promise<void>,
): BatchGates {
  const holding = expectations.filter((one): one is Holding => one.hold !== undefined)
  let isSampled = false
  return {
    figures: ({ rowCount }) => {
      isSampled = rowCount >= 2 * sampleRows
      return figuresOf(fleet, holding, rowCount)
    },
    judge: (slices) => slices.flatMap((slice) => judgeSlice(holding, isSampled, slice)),
    onHeld: (held) =>
      record(
        held.map(({ slice, gateId, value, limit, rowCount }) => ({
          gateId,
          table: holding.find(({ id }) => id === gateId)?.table ?? '',
          severity: 'FAIL',
          scope: { siteId: slice.siteId, firmware: slice.firmware },
          isPassed: false,
          holds: 'rows',
          value,
          limit,
          rowCount,
        })),
      ),
  }
}
