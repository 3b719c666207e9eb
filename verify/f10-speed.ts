import { cpus, loadavg } from 'node:os'
import { askPeers, hasPeers } from './anomaly/peers.ts'
import {
  detectorLines,
  modelLines,
  type SpeedAnswer,
  type SpeedLine,
  seriesLines,
} from './anomaly/speed-tasks.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

/** Runs of the peers; the median counts. STL, which takes them 10 s, runs once. */
const PEER_RUNS = 3

function written({ name, must, stretch, seconds, peer, isRight }: SpeedLine): string {
  const digits = (value: number) =>
    value < 0.001 ? `${(value * 1e6).toFixed(1)} us` : `${value.toFixed(3)} s`
  const level = seconds <= stretch ? 'stretch' : seconds <= must ? 'must' : 'MISSED'
  const beside =
    peer === undefined
      ? 'no peer installed'
      : `${(peer / seconds).toFixed(2)} x the speed of ${digits(peer)}`
  return `${name}: ${digits(seconds)}, ${level} (${digits(must)}), ${beside}${isRight ? '' : ', WRONG RESULT'}`
}

/** Our side and the Python peers one after the other, on the same arrays, in one run. */
export const promised: Promised = {
  id: 'F10',
  title: 'speed beside the Python peers, 2 cores, one run',
  unit: 'lines of the table that miss their limit or their result',
  bar: 'every "must" of the table of goals; Isolation Forest one row p50 <= 20 us',
  // A figure of a busy machine says nothing; this needs a quiet one.
  quick: false,
  limitSeconds: 900,
  run: async (report) => {
    if (!hasPeers()) {
      return { ok: false, value: 0, detail: { error: 'npm run setup:referees -- python' } }
    }
    const folder = temporaryFolder('f10')
    try {
      const machine = `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, node ${process.version}`
      const loadBefore = loadavg()[0]
      report(`${machine}, load ${loadBefore?.toFixed(1)}`)
      const peers: SpeedAnswer = await askPeers('speed', folder.path, { times: PEER_RUNS })
      const lines: SpeedLine[] = []
      for (const measure of [detectorLines, modelLines, seriesLines]) {
        const found = await measure(peers)
        for (const line of found) report(written(line))
        lines.push(...found)
      }
      const missed = lines.filter(({ seconds, must, isRight }) => !(seconds <= must && isRight))
      return {
        ok: missed.length === 0,
        value: missed.length,
        detail: {
          machine,
          loadBefore,
          loadAfter: loadavg()[0],
          missed: missed.map(({ name }) => name),
          stretch: lines
            .filter(({ seconds, stretch }) => seconds <= stretch)
            .map(({ name }) => name),
          lines,
          versions: peers.versions,
        },
      }
    } finally {
      folder.remove()
    }
  },
}
