import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'

const run = promisify(execFile)
const workspace = join(import.meta.dirname, '..')
const projects: string[] = []

afterEach(async () => {
  for (const project of projects.splice(0)) await rm(project, { recursive: true })
})

/** An empty project with a freshly built library in its node_modules, and a program that uses it. */
async function projectWith(library: string, program: string) {
  const folder = await mkdtemp(join(tmpdir(), 'isotherm-package-'))
  projects.push(folder)
  const installed = join(folder, 'node_modules', '@isotherm', library)
  await run(process.execPath, [join(import.meta.dirname, 'build-package.ts'), library, installed])
  for (const scope of ['@duckdb', '@types', 'undici-types']) {
    await symlink(join(workspace, 'node_modules', scope), join(folder, 'node_modules', scope))
  }
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await writeFile(join(folder, 'use.ts'), program)
  return { folder, installed }
}

async function typeCheck(folder: string): Promise<void> {
  const tsc = join(workspace, 'node_modules', 'typescript', 'bin', 'tsc')
  const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024']
  const types = ['--lib', 'es2025', '--types', 'node', 'use.ts']
  await run(process.execPath, [tsc, ...strict, ...types], { cwd: folder })
}

test('the delta package works from node_modules: library, declarations, command', async () => {
  const { folder, installed } = await projectWith(
    'delta',
    `import { append, columns, createTable, folderStore, type Snapshot } from '@isotherm/delta'
const table = await createTable(folderStore('t'), { name: 't', schema: columns({ id: 'long' }) })
await append(table, { rows: [{ id: 1n }] })
const snapshot: Snapshot = await table.snapshot()
console.log(snapshot.version)
`,
  )
  expect((await run(process.execPath, ['use.ts'], { cwd: folder })).stdout).toBe('1\n')
  await typeCheck(folder)
  const program = join(installed, 'bin', 'delta.js')
  const asked = await run(process.execPath, [program, 'describe', 't'], { cwd: folder })
  expect(asked.stdout).toMatch(/^version +1 of/m)
  const version = await run(process.execPath, [program, '--version'])
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('the anomaly package works from node_modules: its README, threads, declarations', async () => {
  const readme = await readFile(join(workspace, 'anomaly', 'README.md'), 'utf8')
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const { folder } = await projectWith(
    'anomaly',
    `${example}
const rows = anomaly.sharedFeatureMatrix(training)
const pool = anomaly.createScoringPool(2)
console.log((await pool.score(forest, rows)).every((score, row) => score ===
  anomaly.scoreIsolationForest(forest, training)[row]))
await pool.close()
`,
  )
  const { stdout } = await run(process.execPath, ['use.ts'], { cwd: folder })
  expect(stdout).toBe('Float64Array(2) [ 0, 1 ] suctionKpa\ntrue\n')
  await typeCheck(folder)
})

test('a name that is no library is refused', async () => {
  const built = run(process.execPath, [join(import.meta.dirname, 'build-package.ts'), 'platform'])
  await expect(built).rejects.toThrow("library is 'platform', expected delta or anomaly")
})
