import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { scratchFolder } from '../src/scratch.testing.ts'
import { errorLines, readmeWithErrors } from './error-table.ts'

const packageFolder = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(packageFolder, path), 'utf8')

/** The code blocks of a page in a language. */
function blocks(page: string, language: string): readonly string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm')
  return [...page.matchAll(pattern)].map(([, code = '']) => code)
}

/** One program of several blocks: imports first, each name once. */
function joined(parts: readonly string[]): string {
  const lines = parts.join('\n').split('\n')
  const imports = lines.filter((line) => line.startsWith('import '))
  return [...imports, ...lines.filter((line) => !line.startsWith('import '))].join('\n')
}

/** A folder in which `@isotherm/delta` is installed as `npm install` leaves it in a workspace. */
async function newProject(): Promise<string> {
  const folder = await scratchFolder()
  await mkdir(join(folder, 'node_modules', '@isotherm'), { recursive: true })
  await symlink(packageFolder, join(folder, 'node_modules', '@isotherm', 'delta'))
  const duckdb = join(packageFolder, '..', 'node_modules', '@duckdb')
  await symlink(duckdb, join(folder, 'node_modules', '@duckdb'))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  return folder
}

async function run(folder: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...args], { cwd: folder })
  return stdout
}

test("the README's ten lines give the result they promise, and its commands run", async () => {
  const page = read('README.md')
  const folder = await newProject()
  const [code = ''] = blocks(page, 'ts')
  expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(12)
  await writeFile(join(folder, 'ten-lines.ts'), code)
  expect(await run(folder, ['ten-lines.ts'])).toBe("[ 'fridge-1' ]\n")
  const commands = blocks(page, 'sh')
    .join('')
    .split('\n')
    .filter((line) => line.startsWith('npx @isotherm/delta '))
  expect(commands.length).toBeGreaterThan(1)
  for (const command of commands) {
    const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(
      ([, quoted, bare]) => quoted ?? bare,
    )
    const program = join(packageFolder, 'bin', 'delta.js')
    const output = await run(folder, [program, ...words.slice(2).map((word) => word ?? '')])
    expect(output).toMatch(/fridge-1|version +1 of/)
  }
})

test('the examples of the API page run, one after the other', async () => {
  const folder = await newProject()
  const code = joined(blocks(read('docs/api.md'), 'ts'))
  const seen = '\nconsole.log(warmest.getRows(), problems, expired.length)\n'
  await writeFile(join(folder, 'page.ts'), code + seen)
  const output = await run(folder, ['page.ts'])
  expect(output).toBe("[ [ 'fridge-1', 4.5 ], [ 'fridge-2', 4.9 ], [ 'fridge-3', 3.9 ] ] [] 0\n")
})

test('the README lists every error code with its class (else: node delta/testing/error-table.ts)', () => {
  const union = /export type DeltaErrorCode =([\s\S]*?)\n\n/.exec(read('src/errors.ts'))?.[1] ?? ''
  const codes = [...union.matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code)
  expect(codes.length).toBeGreaterThan(20)
  const listed = errorLines().map((line) => /`([A-Z_]+)`/.exec(line)?.[1])
  expect(listed.toSorted()).toEqual(codes.toSorted())
  expect(read('README.md')).toBe(readmeWithErrors())
})

test('the API page names every function that is exported', () => {
  const pages = read('docs/api.md') + read('README.md')
  const index = read('src/index.ts')
  const functions = [...index.matchAll(/export \{ ([^}]+) \} from '\.\/(?!errors|log)/g)]
    .flatMap(([, names = '']) => names.split(','))
    .map((name) => name.trim())
  expect(functions.length).toBeGreaterThan(20)
  const missing = functions.filter((name) => !pages.includes(name))
  expect(missing).toEqual([])
})
