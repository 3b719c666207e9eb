import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type Check, finding, reasonOf } from './finding.ts'
import { deviceCountOf } from './registered-fleet.ts'

const gib = 2 ** 30
/** Share of the disk in use: warned at 80 %, refused from 95 % on, ING-18. */
const warnShare = 0.8
const fullShare = 0.95
/** A record of the log with its headers, ING-1, once a minute for a retention of 7 days. */
const retainedBytes = 700 * 7 * 1_440
const slowMs = 15
const tooSlowMs = 50
const writeCount = 21

/** File systems by the magic number of `statfs`, linux/magic.h. */
const volatileKinds = new Map([
  [0x0102_1994, 'tmpfs'],
  [0x8584_58f6, 'ramfs'],
])
const networkKinds = new Map([
  [0x6969, 'NFS'],
  [0xff53_4d42, 'CIFS'],
  [0xfe53_4d42, 'SMB'],
  [0x0102_1997, '9P'],
  [0x00c3_6400, 'Ceph'],
  [0x6573_5546, 'FUSE'],
])
const overlayMagic = 0x794c_7630

/** The folder, or the nearest one above it that is there. */
function existing(directory: string): string {
  const path = resolve(directory)
  return existsSync(path) || path === dirname(path) ? path : existing(dirname(path))
}

/** A folder that is there and may be written. */
export const dataFolder: Check = async ({ dataDirectory }) => {
  const where = existing(dataDirectory)
  const expected = 'a folder this user may write'
  try {
    await access(where, constants.W_OK | constants.X_OK)
    const isNew = where !== resolve(dataDirectory)
    const found = isNew ? 'not there yet; it is made on first start' : 'writable'
    return [finding('data folder', { state: 'ok', where, expected, found })]
  } catch (cause) {
    const advice = `chown it to this user (id ${process.getuid?.() ?? '?'}), or give another folder with --data`
    const found = reasonOf(cause)
    return [finding('data folder', { state: 'failed', where, expected, found, advice })]
  }
}

/** Data that is to survive belongs on a disk of this machine. */
export const fileSystem: Check = ({ dataDirectory }) => {
  const where = existing(dataDirectory)
  const type = statfsSync(where).type >>> 0
  const isVolatile = volatileKinds.get(type)
  const isRemote = networkKinds.get(type)
  const isLayer = type === overlayMagic
  const kind = isVolatile ?? isRemote ?? (isLayer ? 'overlay' : `local (0x${type.toString(16)})`)
  const advice =
    isVolatile !== undefined
      ? 'give a folder on a disk with --data: this one is gone at the next restart of the machine'
      : isRemote !== undefined
        ? 'give a folder on a local disk with --data: locks and fdatasync are not to be relied on here'
        : 'mount a volume there: a layer of a container is gone with the container'
  const state = isVolatile !== undefined ? 'failed' : (isRemote ?? isLayer) ? 'warning' : 'ok'
  return [finding('file system', { state, where, expected: 'a local disk', found: kind, advice })]
}

/** Room now, and room for the log the devices fill within its retention. */
export const diskSpace: Check = (options) => {
  const where = existing(options.dataDirectory)
  const { bavail, bfree, blocks, bsize } = statfsSync(where)
  const usedShare = (blocks - bfree) / (blocks - bfree + bavail)
  const freeBytes = bavail * bsize
  const count = deviceCountOf(options)
  const neededBytes = count * retainedBytes
  const found = `${(freeBytes / gib).toFixed(1)} GiB free, ${Math.round(usedShare * 100)} % in use`
  const room = finding('disk space', {
    state: usedShare > fullShare ? 'failed' : usedShare > warnShare ? 'warning' : 'ok',
    where,
    expected: `at most ${warnShare * 100} % in use`,
    found,
    advice: `free space: from ${fullShare * 100} % on the log takes no new data (ING-18)`,
  })
  if (freeBytes >= neededBytes) return [room]
  const log = finding('disk space', {
    state: 'warning',
    where,
    expected: `${(neededBytes / gib).toFixed(1)} GiB for 7 days of the log of ${count} devices`,
    found,
    advice: 'take a larger disk: when it is full, devices are told to keep their data',
  })
  return [room, log]
}

/** Median of a few small durable writes; every acknowledgement waits for one. */
export const durableWrite: Check = ({ dataDirectory }) => {
  const where = existing(dataDirectory)
  const path = join(where, `.doctor-${process.pid}`)
  const block = Buffer.alloc(4_096)
  const times: number[] = []
  const expected = `at most ${slowMs} ms`
  let file: number | undefined
  try {
    file = openSync(path, 'w')
    for (let round = 0; round < writeCount; round++) {
      const start = performance.now()
      writeSync(file, block)
      fdatasyncSync(file)
      times.push(performance.now() - start)
    }
  } catch (cause) {
    const advice = 'see data folder and disk space'
    const found = reasonOf(cause)
    return [finding('durable write', { state: 'failed', where, expected, found, advice })]
  } finally {
    if (file !== undefined) closeSync(file)
    rmSync(path, { force: true })
  }
  const sorted = times.toSorted((a, b) => a - b)
  const median = sorted[writeCount >> 1] ?? 0
  const slowest = sorted.at(-1) ?? 0
  return [
    finding('durable write', {
      state: median > tooSlowMs ? 'failed' : median > slowMs ? 'warning' : 'ok',
      where,
      expected,
      found: `${median.toFixed(2)} ms (slowest of ${writeCount}: ${slowest.toFixed(2)} ms)`,
      advice: 'put the data folder on a local SSD: each acknowledgement waits this long',
    }),
  ]
}
