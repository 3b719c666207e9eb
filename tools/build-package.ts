// Builds a library as it is published, into its dist folder: plain JavaScript with declarations, so that
// it runs from node_modules, where Node strips no types. node tools/build-package.ts delta|anomaly [FOLDER]
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

const workspace = join(import.meta.dirname, '..')
const libraries = ['delta', 'anomaly']
const [library = '', folder] = process.argv.slice(2)
if (!libraries.includes(library)) {
  throw new Error(`build-package: library is '${library}', expected ${libraries.join(' or ')}`)
}
const packageFolder = join(workspace, library)
const target = resolve(folder ?? join(packageFolder, 'dist'))
const require = createRequire(import.meta.url)

/** What a library may have beside its code. */
const optionalParts = ['bin', 'docs'].filter((part) => existsSync(join(packageFolder, part)))

type Manifest = Readonly<Record<string, unknown>> & { readonly name: string }

/** The compiler's own program, whatever the shell's path says. */
function compiler(): string {
  const manifest = require.resolve('typescript/package.json')
  return join(dirname(manifest), 'bin', 'tsc')
}

function compile(): void {
  const sources = readdirSync(join(packageFolder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(
      (path) =>
        path.endsWith('.ts') && !/\.(test|testing|contract)\.ts$|(^|\/)testing\//.test(path),
    )
    .map((path) => join(packageFolder, 'src', path))
  const config = join(target, 'tsconfig.json')
  const compilerOptions = {
    rootDir: join(packageFolder, 'src'),
    outDir: join(target, 'dist'),
    noEmit: false,
    allowImportingTsExtensions: false,
    rewriteRelativeImportExtensions: true,
    declaration: true,
    typeRoots: [join(workspace, 'node_modules', '@types')],
  }
  const base = join(workspace, 'tsconfig.json')
  writeFileSync(
    config,
    JSON.stringify({ extends: base, compilerOptions, files: sources, include: [] }),
  )
  execFileSync(process.execPath, [compiler(), '-p', config], { stdio: 'inherit' })
  rmSync(config)
}

function writeManifest(): void {
  const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as Manifest
  const { scripts: _scripts, ...rest } = manifest
  const published = {
    ...rest,
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    files: ['dist', ...optionalParts],
  }
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(published, null, 2)}\n`)
}

rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })
compile()
writeManifest()
for (const part of ['README.md', ...optionalParts]) {
  cpSync(join(packageFolder, part), join(target, part), { recursive: true })
}
cpSync(join(workspace, 'LICENSE'), join(target, 'LICENSE'))
console.log(`built in ${target}; publish it with: npm publish ${target}`)
