import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { settings, temporaryFolder } from './diagnosis-test-support.ts'
import { secrets } from './secrets.ts'

it('names each secret that others may read', async () => {
  const dataDirectory = temporaryFolder()
  mkdirSync(join(dataDirectory, 'certificates'))
  const key = join(dataDirectory, 'secret.key')
  const tlsKey = join(dataDirectory, 'certificates', 'server.key')
  for (const path of [key, tlsKey]) writeFileSync(path, 'secret', { mode: 0o600 })
  expect(await secrets(settings({ dataDirectory }))).toMatchObject([{ state: 'ok' }])
  chmodSync(key, 0o644)
  chmodSync(tlsKey, 0o640)
  expect(await secrets(settings({ dataDirectory }))).toMatchObject([
    { state: 'failed', where: key, found: '644', advice: expect.stringContaining('chmod 600') },
    { state: 'failed', where: tlsKey, found: '640' },
  ])
})
