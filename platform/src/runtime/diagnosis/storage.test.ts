import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { settings, temporaryFolder } from './diagnosis-test-support.ts'
import { dataFolder, diskSpace, durableWrite, fileSystem } from './storage.ts'

const isTmpfs = existsSync('/dev/shm') && statfsSync('/dev/shm').type === 0x0102_1994

/** Whether this user may trace a process and make its system calls late. */
const mayTrace =
  spawnSync('strace', ['-f', '-o', '/dev/null', '-e', 'inject=fdatasync:delay_exit=1', 'true'])
    .status === 0

/** Mounts a disk of one MiB; false where this user may not. */
function mountSmallDisk(directory: string): boolean {
  const made = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', directory])
  if (made.status !== 0) return false
  onTestFinished(() => void spawnSync('umount', [directory]))
  return true
}

describe('the data folder', () => {
  it.skipIf(!isTmpfs)('may not lie in memory', async () => {
    const [found] = await fileSystem(settings({ dataDirectory: temporaryFolder('/dev/shm') }))
    expect(found).toMatchObject({ state: 'failed', found: 'tmpfs' })
    expect(found?.advice).toContain('gone at the next restart')
  })

  it('is judged by where it will be when it is not there yet', async () => {
    const parent = temporaryFolder()
    const [found] = await dataFolder(settings({ dataDirectory: join(parent, 'a', 'b') }))
    expect(found).toMatchObject({ state: 'ok', where: parent })
  })

  it('must be writable', async () => {
    // Not even root may write into /proc.
    const [found] = await durableWrite(settings({ dataDirectory: '/proc' }))
    expect(found?.state).toBe('failed')
    expect(found?.advice).not.toBe('')
  })

  it('needs room now', async ({ skip }) => {
    const dataDirectory = temporaryFolder()
    const directory = join(dataDirectory, 'small')
    mkdirSync(directory)
    if (!mountSmallDisk(directory)) skip('mounting needs root')
    writeFileSync(join(directory, 'filler'), Buffer.alloc(1_015_808))
    const [found] = await diskSpace(settings({ dataDirectory: directory, deviceCount: 0 }))
    expect(found).toMatchObject({ state: 'failed', found: '0.0 GiB free, 97 % in use' })
  })

  it('needs room for the log of a week', async () => {
    const findings = await diskSpace(settings({ deviceCount: 1_000_000_000 }))
    expect(findings.at(-1)).toMatchObject({ state: 'warning' })
    expect(findings.at(-1)?.expected).toContain('for 7 days of the log of 1000000000 devices')
  })

  it('is measured, and leaves no file behind', async () => {
    const dataDirectory = temporaryFolder()
    const [found] = await durableWrite(settings({ dataDirectory }))
    expect(found?.found).toMatch(/^\d+\.\d\d ms \(slowest of 21: \d+\.\d\d ms\)$/)
    expect(readdirSync(dataDirectory)).toEqual([])
  })

  it.skipIf(!mayTrace)('is failed on a disk that takes 60 ms to be sure', () => {
    const script = `import { durableWrite } from './storage.ts'
      console.log(JSON.stringify(await durableWrite({ dataDirectory: '${temporaryFolder()}' })))`
    const child = spawnSync(
      'strace',
      [
        '-f',
        '-o',
        '/dev/null',
        '-e',
        'trace=fdatasync',
        '-e',
        'inject=fdatasync:delay_exit=60000',
      ].concat([process.execPath, '--input-type=module-typescript', '-e', script]),
      { cwd: import.meta.dirname, encoding: 'utf8' },
    )
    expect(JSON.parse(child.stdout)[0]).toMatchObject({ state: 'failed', check: 'durable write' })
  })
})
