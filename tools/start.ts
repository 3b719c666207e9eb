// npm start: builds the console where it is out of date, then runs the demo fleet.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const built = join(root, 'console', 'dist', 'index.html')

function isBuilt(): boolean {
  if (!existsSync(built)) return false
  const sources = globSync('{src/**/*,index.html,vite.config.ts,package.json}', {
    cwd: join(root, 'console'),
  })
  const newest = Math.max(...sources.map((file) => statSync(join(root, 'console', file)).mtimeMs))
  return statSync(built).mtimeMs >= newest
}

if (!isBuilt()) {
  const { status } = spawnSync(process.execPath, [viteProgram(), 'build', '--logLevel', 'warn'], {
    cwd: join(root, 'console'),
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}

function viteProgram(): string {
  return join(root, 'node_modules', 'vite', 'bin', 'vite.js')
}

const program = join(root, 'platform', 'bin', 'isotherm.js')
const demo = spawn(process.execPath, [program, 'demo', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => demo.kill(signal))
demo.on('exit', (code) => process.exit(code ?? 0))
