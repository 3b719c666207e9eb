import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { settings } from './diagnosis-test-support.ts'
import { memory, nodeVersion, openFiles } from './machine.ts'

describe('the machine', () => {
  it('is failed for a Node that is too old, and ok for the one that runs the tests', () => {
    expect(nodeVersion('20.19.0')[0]).toMatchObject({ state: 'failed', found: '20.19.0' })
    expect(nodeVersion()[0]?.state).toBe('ok')
  })

  it('has too little memory for ten million devices', async () => {
    const [found] = await memory(settings({ deviceCount: 10_000_000 }))
    expect(found).toMatchObject({ state: 'warning', expected: '764.9 GiB for 10000000 devices' })
    expect(found?.advice).not.toBe('')
  })

  it('says what the limit is when a shell allows 256 open files', () => {
    const script = `import { openFiles } from './machine.ts'
      const options = { dataDirectory: '/nowhere', deviceCount: 1000 }
      console.log(JSON.stringify(await openFiles(options)))`
    const child = spawnSync(
      'sh',
      [
        '-c',
        `ulimit -n 256 && exec "$0" --input-type=module-typescript -e "$1"`,
        process.execPath,
        script,
      ],
      { cwd: import.meta.dirname, encoding: 'utf8' },
    )
    const [found] = JSON.parse(child.stdout)
    expect(found).toMatchObject({
      state: 'failed',
      expected: '4096 for 1000 devices',
      found: '256',
    })
    expect(found.advice).toContain('LimitNOFILE=4096')
  })

  it('is content with as many files as devices need', async () => {
    const [found] = await openFiles(settings({ deviceCount: 1 }))
    expect(found?.expected).toBe('4096 for 1 devices')
  })
})
