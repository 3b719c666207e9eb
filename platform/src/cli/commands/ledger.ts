import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { ledgerView } from '../../http/index.ts'
import { type LedgerLine, readLedger } from '../../ledger/index.ts'
import { countOf } from '../option-values.ts'
import { type CommonOptions, command, requireDataFolder } from '../program.ts'

type LedgerOptions = CommonOptions & {
  readonly device?: string
  readonly hours: string
  readonly limit: string
}

/** The line as an equation, with what rejected is made of. */
export function equationText(line: LedgerLine): string {
  const { received, stored, duplicate, rejected, reasons, difference } = line
  const parts = Object.entries(reasons)
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${count}`)
  const detail = parts.length === 0 ? '' : ` (${parts.join(', ')})`
  const verdict = difference === 0 ? 'balances' : `DOES NOT BALANCE, difference ${difference}`
  const sum = `${stored} stored + ${duplicate} duplicate + ${rejected} rejected${detail}`
  return `${received} received ${difference === 0 ? '=' : '≠'} ${sum}: ${verdict}`
}

const rowOf = (line: LedgerLine) => ({
  received: line.received,
  stored: line.stored,
  duplicate: line.duplicate,
  rejected: line.rejected,
  difference: line.difference,
  recovered: line.recovered,
})

/** `isotherm ledger`: what came in and what became of it. */
export function addLedger(program: Command): void {
  command<LedgerOptions>(
    program,
    'ledger',
    'the loss ledger: received = stored + duplicate + rejected; ends with 1 if it does not balance',
    [
      new Option('--device <id>', 'one device instead of the fleet'),
      new Option('--hours <number>', 'hours looked back, with the one under way').default('24'),
      new Option('--limit <number>', 'devices listed').default('20'),
    ],
    async (options, output) => {
      const report = readLedger(join(requireDataFolder(options.data), 'ledger'), {
        hours: countOf(options.hours, 'hours', 1),
        limit: countOf(options.limit, 'limit', 0),
        nowMs: Date.now(),
        ...(options.device !== undefined && { deviceId: options.device }),
      })
      const { asOfMs, total, hours, devices, unbalancedCount } = report
      const isBalanced = unbalancedCount === 0 && total.difference === 0
      if (!isBalanced) process.exitCode = 1
      if (output.isJson) {
        output.records([ledgerView(report)])
        return
      }
      output.line(
        asOfMs === undefined
          ? 'the log has not been counted yet; the server does it once a minute'
          : `as of ${new Date(asOfMs).toISOString()}`,
      )
      output.line(`${options.device ?? 'the fleet'}: ${equationText(total)}`)
      if (unbalancedCount > 0) output.line(`${unbalancedCount} device hours do not balance`)
      if (total.recovered > 0) {
        output.line(`${total.recovered} of them counted from the log after a crash`)
      }
      output.line('')
      output.records(
        hours.map((hour) => ({ hour: new Date(hour.startMs).toISOString(), ...rowOf(hour) })),
      )
      if (devices.length === 0) return
      output.line('')
      output.records(devices.map((line) => ({ device: line.deviceId, ...rowOf(line) })))
    },
  )
}
