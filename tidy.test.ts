import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { describe, expect, it } from 'vitest'

/** Folders of platform/src in the order data flows; imports point left only. */
const order = [
  'contracts',
  'data-contracts',
  'simulate',
  'gateway',
  'log',
  'import',
  'lake',
  'clean',
  'features',
  'feature-store',
  'quality',
  'objects',
  'ledger',
  'models',
  'scoring',
  'alerts',
  'feedback',
  'monitoring',
  'runtime',
  'http',
  'cli',
]

/**
 * Files where clock and randomness enter. Everything else gets them as parameters, so that a run
 * can be repeated.
 */
const edges = [
  /^(verify|bench|tools|scenarios)\//,
  /^anomaly\/bench\//,
  /^console\//,
  /^delta\/src\/host\.ts$/,
  /^platform\/src\/(cli|runtime)\//,
]

const root = import.meta.dirname
const files = globSync(
  '{delta,anomaly,platform,console,fleets,scenarios,verify,bench,tools}/**/*.{ts,tsx}',
  {
    cwd: root,
    exclude: (name) => ['node_modules', 'dist'].includes(basename(String(name))),
  },
)
  .map((file) => file.split(sep).join('/'))
  .toSorted()
const text = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
const isTest = (file: string) => /\.test\.tsx?$|\/testing\/|test-support/.test(file)
const product = files.filter((file) => !isTest(file))

/** Source without comments and string contents, good enough for pattern checks. */
function codeOf(file: string): string {
  return (text.get(file) ?? '')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/(^|[^:'"`])\/\/.*$/gm, '$1')
}

type Import = { readonly specifier: string; readonly typeOnly: boolean }

function importsOf(file: string): readonly Import[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s+(type\s)?[^'"\n;]*?(?:\n[^'"]*?)?from\s+'([^']+)'|import\('([^']+)'\)/g
  return [...codeOf(file).matchAll(pattern)].map((match) => ({
    specifier: match[2] ?? match[3] ?? '',
    typeOnly: match[1] !== undefined,
  }))
}

function resolved(file: string, specifier: string): string {
  return relative(root, join(root, dirname(file), specifier))
    .split(sep)
    .join('/')
}

const platformFolder = (file: string) => /^platform\/src\/([^/]+)\//.exec(file)?.[1]

describe('the import order', () => {
  it('lets a platform folder import earlier folders only, through their index.ts', () => {
    const wrong = files.flatMap((file) => {
      const own = platformFolder(file)
      if (own === undefined) return []
      return importsOf(file)
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => resolved(file, specifier))
        .filter((target) => {
          const folder = platformFolder(target)
          if (folder === undefined || folder === own) return false
          if (!target.endsWith(`/${folder}/index.ts`)) return true
          return !isTest(file) && order.indexOf(folder) >= order.indexOf(own)
        })
        .map((target) => `${file} imports ${target}`)
    })
    expect(wrong).toEqual([])
  })

  it('knows every folder of platform/src', () => {
    const folders = new Set(files.map(platformFolder).filter((name) => name !== undefined))
    expect([...folders].filter((name) => !order.includes(name))).toEqual([])
  })

  it('keeps packages apart: libraries import nothing of ours, fleets and console public names', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter(({ specifier, typeOnly }) => {
          const ours = /^(isotherm|@isotherm\/)/.test(specifier)
          const leavesPackage =
            specifier.startsWith('.') &&
            resolved(file, specifier).split('/')[0] !== file.split('/')[0]
          if (/^(delta|anomaly)\//.test(file)) return ours || leavesPackage
          if (file.startsWith('platform/')) {
            return leavesPackage || /^@isotherm\/(fleet|console|distributed)/.test(specifier)
          }
          if (/^console\/src\//.test(file)) return leavesPackage || (ours && !typeOnly)
          if (/^(fleets|scenarios|verify)\//.test(file)) {
            return leavesPackage && /^(platform|delta|anomaly)\//.test(resolved(file, specifier))
          }
          return false
        })
        .map(({ specifier }) => `${file} imports ${specifier}`),
    )
    expect(wrong).toEqual([])
  })

  it('has no cycle among modules', () => {
    const graph = new Map(
      product.map((file) => [
        file,
        importsOf(file)
          .filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
          .map(({ specifier }) => resolved(file, specifier)),
      ]),
    )
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' > '))
        return
      }
      if (done.has(file)) return
      for (const next of graph.get(file) ?? []) visit(next, [...path, file])
      done.add(file)
    }
    for (const file of graph.keys()) visit(file, [])
    expect(cycles).toEqual([])
  })
})

describe('names and size', () => {
  it('names files after their concept, in kebab-case', () => {
    const wrong = files.filter((file) =>
      file
        .split('/')
        .some(
          (part) =>
            /^(utils?|helpers?|common|misc|managers?|services?)(\.|$)/.test(part) ||
            (!/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(part) && part !== 'README.md'),
        ),
    )
    expect(wrong).toEqual([])
  })

  it('keeps files under the wall of 400 lines', () => {
    const long = product.filter((file) => (text.get(file) ?? '').split('\n').length > 401)
    expect(long).toEqual([])
  })
})

describe('code', () => {
  const findings = (pattern: RegExp, among = files) =>
    among.filter((file) => pattern.test(codeOf(file)))

  it('has no any, enum, suppression or empty catch', () => {
    expect(findings(/(:|\bas|<|\|)\s*any\b/)).toEqual([])
    expect(findings(/^\s*(export\s+)?(const\s+)?enum\s/m)).toEqual([])
    expect(
      files.filter((file) => /@ts-(ignore|nocheck)|biome-ignore/.test(text.get(file) ?? '')),
    ).toEqual([])
    expect(findings(/catch\s*(\([^)]*\))?\s*\{\s*\}/)).toEqual([])
  })

  it('gets clock and randomness through parameters outside the edges', () => {
    const inside = product.filter((file) => !edges.some((edge) => edge.test(file)))
    expect(
      findings(/\bDate\.now\(|\bMath\.random\(|new Date\(\s*\)|performance\.now\(/, inside),
    ).toEqual([])
  })

  it('leaves no note for later', () => {
    expect(files.filter((file) => /\b(TODO|FIXME|XXX)\b/.test(text.get(file) ?? ''))).toEqual([])
  })

  it('has no default export but in configuration files', () => {
    expect(findings(/^export default /m).filter((file) => !/config\.ts$/.test(file))).toEqual([])
  })
})

describe('docstrings', () => {
  const indexes = product.filter(
    (file) => /(^|\/)index\.ts$/.test(file) && !/^(console|verify|bench)\//.test(file),
  )

  function undocumented(
    file: string,
    names: readonly string[] | 'all',
    seen = new Set<string>(),
  ): string[] {
    if (seen.has(file)) return []
    seen.add(file)
    const lines = (text.get(file) ?? '').split('\n')
    const declared = lines.flatMap((line, index) => {
      const match =
        /^export (?:async )?(?:function|const|class|type|interface) \*?([A-Za-z0-9_]+)/.exec(line)
      if (match === null || match[1] === undefined) return []
      if (names !== 'all' && !names.includes(match[1])) return []
      const before = lines.slice(0, index).findLast((previous) => previous.trim() !== '')
      // A type derived from the constant above shares that constant's docstring.
      const derived = lines[index - 1]?.startsWith('export const') === true
      return before?.trim().endsWith('*/') === true || derived ? [] : [`${file}: ${match[1]}`]
    })
    const passedOn = [
      ...codeOf(file).matchAll(/export (?:type )?(\*|\{[^}]*\}) from '(\.[^']+)'/g),
    ].flatMap((match) => {
      const list = match[1] ?? ''
      const wanted =
        list === '*'
          ? ('all' as const)
          : list
              .replaceAll(/[{}]/g, '')
              .split(',')
              .map(
                (name) =>
                  name
                    .replace(/\btype\b/, '')
                    .split(' as ')[0]
                    ?.trim() ?? '',
              )
              .filter((name) => name !== '')
      return undocumented(resolved(file, match[2] ?? ''), wanted, seen)
    })
    return [...declared, ...passedOn]
  }

  it('stand on every export of a package and of a stage', () => {
    expect(indexes.flatMap((file) => undocumented(file, 'all'))).toEqual([])
  })
})
