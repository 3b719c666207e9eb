import { benchMessage } from './ingest-fixture.ts'
import { openLog } from './log.ts'

/**
 * Started by the crash test in a process of its own: appends as fast as it can and prints each
 * number once it was acknowledged, until the process is killed.
 */
const [directory = '', first = '0'] = process.argv.slice(2)
const log = openLog({ directory, clock: Date.now, tickMs: 1, segmentBytes: 300_000 })
let next = Number(first)

async function appendForever(): Promise<void> {
  for (;;) {
    const from = next
    next += 20
    await log.append(
      Array.from({ length: 20 }, (_, i) => ({
        deviceId: 'REF-1',
        eventId: `event-${from + i}`,
        ingestedAtMs: Date.now(),
        protocol: 'mqtt3',
        body: {
          kind: 'readable',
          format: 'wide',
          deviceTimeMs: 0,
          payload: new Uint8Array(Buffer.from(benchMessage('REF-1', from + i))),
        },
      })),
    )
    process.stdout.write(`${from}\n`)
  }
}

await Promise.all([appendForever(), appendForever(), appendForever()])
