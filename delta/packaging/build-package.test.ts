import { execFile } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { scratchFolder } from '../src/scratch.testing.ts'

const run = promisify(execFile)
const workspace = join(import.meta.dirname, '..', '..')

test('the built package works from node_modules: library, declarations, command', async () => {
  const project = await scratchFolder()
  const installed = join(project, 'node_modules', '@isotherm', 'delta')
  await run(process.execPath, [join(import.meta.dirname, 'build-package.ts'), installed])
  for (const scope of ['@duckdb', '@types', 'undici-types']) {
    await mkdir(join(project, 'node_modules'), { recursive: true })
    const link = join(project, 'node_modules', scope)
    await symlink(join(workspace, 'node_modules', scope), link)
  }
  await writeFile(join(project, 'package.json'), '{"type":"module"}')
  const code = `import { append, columns, createTable, folderStore, type Snapshot } from '@isotherm/delta'
const table = await createTable(folderStore('t'), { name: 't', schema: columns({ id: 'long' }) })
await append(table, { rows: [{ id: 1n }] })
const snapshot: Snapshot = await table.snapshot()
console.log(snapshot.version)
`
  await writeFile(join(project, 'use.ts'), code)
  expect((await run(process.execPath, ['use.ts'], { cwd: project })).stdout).toBe('1\n')
  const tsc = join(workspace, 'node_modules', 'typescript', 'bin', 'tsc')
  const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024']
  const types = ['--lib', 'es2025', '--types', 'node', 'use.ts']
  await run(process.execPath, [tsc, ...strict, ...types], { cwd: project })
  const program = join(installed, 'bin', 'delta.js')
  const asked = await run(process.execPath, [program, 'describe', 't'], { cwd: project })
  expect(asked.stdout).toMatch(/^version +1 of/m)
  const version = await run(process.execPath, [program, '--version'])
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})
