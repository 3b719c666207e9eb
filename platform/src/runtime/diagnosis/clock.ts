import { createSocket } from 'node:dgram'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describeLog } from '../../log/index.ts'
import { type Check, type DiagnosisOptions, type Finding, finding } from './finding.ts'

/** A time server that has not answered by then counts as not reachable. */
const patienceMs = 1_500
/** Difference from which on devices' fresh readings look late or ahead, ING-43, ING-44. */
const wrongMs = 60_000
/** Difference that shows in what people read. */
const doubtfulMs = 2_000
/** Seconds from 1900, the epoch of NTP, to 1970. RFC 5905, section 6. */
const ntpEpochS = 2_208_988_800
const ntpPort = 123

/** Newest time that the data folder itself bears witness to, epoch ms. */
function newestWitness(dataDirectory: string): { atMs: number; where: string } | undefined {
  const directory = resolve(dataDirectory)
  if (!existsSync(directory)) return undefined
  const files = readdirSync(directory).map((name) => join(directory, name))
  const witnesses = files.map((path) => ({ atMs: statSync(path).mtimeMs, where: path }))
  const log = join(directory, 'log')
  if (existsSync(join(log, 'log.json'))) {
    for (const { lastIngestedAtMs } of describeLog(log, 0).partitions) {
      if (lastIngestedAtMs !== undefined) witnesses.push({ atMs: lastIngestedAtMs, where: log })
    }
  }
  return witnesses.toSorted((a, b) => b.atMs - a.atMs)[0]
}

/** Epoch ms of an NTP server in the middle of the exchange. Source: RFC 5905, client mode. */
function askNtp(host: string, port: number): Promise<number | undefined> {
  const socket = createSocket('udp4')
  return new Promise((done) => {
    const startMs = performance.now()
    const end = (atMs: number | undefined) => {
      clearTimeout(timer)
      socket.close()
      done(atMs)
    }
    const timer = setTimeout(end, patienceMs, undefined)
    socket.on('error', () => end(undefined))
    socket.on('message', (answer) => {
      // Stratum 0 is a refusal ("kiss of death"), not a time.
      if (answer.length < 48 || answer[1] === 0) return end(undefined)
      const seconds = answer.readUInt32BE(40) - ntpEpochS
      const fraction = answer.readUInt32BE(44) / 2 ** 32
      end((seconds + fraction) * 1_000 + (performance.now() - startMs) / 2)
    })
    const request = Buffer.alloc(48)
    request[0] = 0x23
    socket.send(request, port, host, (error) => {
      if (error !== null) end(undefined)
    })
  })
}

async function askHttp(url: string): Promise<number | undefined> {
  try {
    const signal = AbortSignal.timeout(patienceMs)
    const answer = await fetch(url, { method: 'HEAD', redirect: 'manual', signal })
    const atMs = Date.parse(answer.headers.get('date') ?? '')
    // The header has whole seconds: the middle of one is the best guess.
    return Number.isNaN(atMs) ? undefined : atMs + 500
  } catch (error) {
    // Whatever stopped the question: without an answer the folder is the only witness.
    if (error instanceof Error) return undefined
    throw error
  }
}

async function serverTime(timeServer: string): Promise<number | undefined> {
  if (/^https?:/.test(timeServer)) return askHttp(timeServer)
  const [host = '', port] = timeServer.split(':')
  return askNtp(host, port === undefined ? ntpPort : Number(port))
}

async function againstServer({ timeServer, nowMs }: DiagnosisOptions): Promise<readonly Finding[]> {
  if (timeServer === undefined) return []
  const startMs = performance.now()
  const atMs = await serverTime(timeServer)
  const observed = { where: timeServer, expected: 'the same time here and there' }
  if (atMs === undefined) {
    const found = 'no answer: compared with the data folder only'
    return [finding('clock', { ...observed, state: 'ok', found })]
  }
  const aheadMs = nowMs + (performance.now() - startMs) - atMs
  const offMs = Math.abs(aheadMs)
  const found = `this clock is ${(offMs / 1_000).toFixed(1)} s ${aheadMs > 0 ? 'ahead' : 'behind'}`
  const state = offMs > wrongMs ? 'failed' : offMs > doubtfulMs ? 'warning' : 'ok'
  const advice =
    'set the clock and let it follow NTP (timedatectl set-ntp true): it stamps every message'
  return [finding('clock', { ...observed, state, found, advice })]
}

/** A clock that is behind what is stored already, or off a time server's. */
export const clock: Check = async (options) => {
  const { dataDirectory, nowMs } = options
  const witness = newestWitness(dataDirectory)
  const isBehind = witness !== undefined && witness.atMs - nowMs > wrongMs
  const behind = finding('clock', {
    state: isBehind ? 'failed' : 'ok',
    where: witness?.where ?? dataDirectory,
    expected: 'nothing stored in the future',
    found: isBehind
      ? `stored data is ${Math.round((witness.atMs - nowMs) / 1_000)} s ahead of this clock`
      : new Date(nowMs).toISOString(),
    advice: 'set the clock (NTP) before starting: what comes in now would look older than it is',
  })
  return [behind, ...(await againstServer(options))]
}
