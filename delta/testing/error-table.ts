// Writes the README's table of error codes from the docstrings in src/errors.ts:
// node delta/testing/error-table.ts
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const packageFolder = join(import.meta.dirname, '..')
const readme = join(packageFolder, 'README.md')

/** The lines of the table, in the order of the classes. */
export function errorLines(): readonly string[] {
  const source = readFileSync(join(packageFolder, 'src', 'errors.ts'), 'utf8')
  const classes = source.matchAll(
    /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport class (\w+) extends DeltaError \{[^}]*?super\('(\w+)'/g,
  )
  return [...classes].map(([, doc = '', name, code]) => {
    const text = doc.replaceAll(/\s*\n \* ?/g, ' ').trim()
    return `| \`${code}\` | \`${name}\` | ${text} |`
  })
}

/** The README with the table as it has to be. */
export function readmeWithErrors(): string {
  const page = readFileSync(readme, 'utf8')
  const head = '| code | class | means |\n| --- | --- | --- |\n'
  return page.replace(
    /(<!-- errors[^\n]*-->\n)[\s\S]*?(<!-- \/errors -->)/,
    (_all, open: string, close: string) => `${open}${head}${errorLines().join('\n')}\n${close}`,
  )
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(readme, readmeWithErrors())
}
