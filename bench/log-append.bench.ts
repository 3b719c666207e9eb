import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import type { NewRecord } from 'isotherm/contracts'
import { openLog } from 'isotherm/log'
import type { Bench } from './bench.ts'
import { simulatedRecords } from './simulated-records.ts'

const recordCount = 100_000
const perAppend = 250
/** Appends under way at a time, as from connections of the gateway. */
const concurrency = 16

function batchesOf(records: readonly NewRecord[]): readonly (readonly NewRecord[])[] {
  return Array.from({ length: Math.ceil(records.length / perAppend) }, (_, index) =>
    records.slice(index * perAppend, (index + 1) * perAppend),
  )
}

export const bench: Bench = {
  title: 'durable appends to the log',
  size: `${recordCount} records of about 550 bytes, ${perAppend} per append, ${concurrency} at a time`,
  unit: 'records',
  rounds: 5,
  prepare: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isotherm-bench-'))
    const log = openLog({ directory: join(folder, 'log'), clock: () => 0 })
    const batches = batchesOf(simulatedRecords(refrigeration, 1000, recordCount))
    const bytes = batches.map((batch) => Buffer.concat(batch.map(({ body }) => body.payload)))
    const peer = await open(join(folder, 'peer'), 'w')
    return {
      cases: [
        {
          name: 'isotherm log',
          units: recordCount,
          run: async () => {
            let next = 0
            const worker = async () => {
              for (let at = next++; at < batches.length; at = next++) {
                await log.append(batches[at] ?? [])
              }
            }
            await Promise.all(Array.from({ length: concurrency }, worker))
          },
        },
        {
          name: 'plain write and fdatasync, payloads',
          units: recordCount,
          run: async () => {
            for (let at = 0; at < bytes.length; at += concurrency) {
              await peer.writev(bytes.slice(at, at + concurrency))
              await peer.datasync()
            }
          },
        },
      ],
      close: async () => {
        await peer.close()
        await log.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
}
