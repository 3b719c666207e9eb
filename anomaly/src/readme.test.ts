import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('the example of the README runs and prints what it says', () => {
  const folder = new URL('..', import.meta.url)
  const readme = readFileSync(new URL('README.md', folder), 'utf8')
  const code = /```ts\n(?<code>.*?)```/s.exec(readme)?.groups?.code ?? ''
  const [, expected] = / \/\/ (?<output>.*)\n$/.exec(code) ?? []
  const options = { cwd: fileURLToPath(folder), encoding: 'utf8' } as const
  const printed = execFileSync(
    process.execPath,
    ['--input-type=module-typescript', '-e', code],
    options,
  )
  expect(printed.trim()).toBe(expected)
})
