import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What is used of the compiler. Its own declarations would change the global `console`. */
type Compiler = {
  readonly main: (
    args: readonly string[],
    files: {
      readonly readFile: (name: string) => string | null
      readonly writeFile: (name: string, contents: string | Uint8Array) => void
      readonly listFiles: () => readonly string[]
    },
  ) => Promise<{
    readonly error: Error | null
    readonly stderr: { readonly toString: () => string }
  }>
}

const compilerModule: string = 'assemblyscript/asc'

/** Compiles the kernel's AssemblyScript source. The same compiler version gives the same bytes. */
export async function buildKernel(): Promise<Uint8Array> {
  const { main } = (await import(compilerModule)) as Compiler
  let binary: Uint8Array | undefined
  const options = ['--outFile', 'kernel.wasm', '-O3', '--noAssert', '--runtime', 'stub']
  const memory = [
    '--importMemory',
    '--noExportMemory',
    '--initialMemory',
    '1',
    '--memoryBase',
    '64',
  ]
  const { error, stderr } = await main(['index.ts', ...options, ...memory, '--enable', 'simd'], {
    readFile: readSource,
    writeFile: (_, contents) => {
      if (typeof contents !== 'string') binary = contents
    },
    listFiles: () => [],
  })
  if (error !== null || binary === undefined) {
    throw new Error(`the kernel does not compile:\n${stderr.toString()}`, { cause: error })
  }
  return binary
}

/**
 * The compiler asks for `.ts`; the sources are `.as`, because they are no TypeScript to other
 * tools: their number types and intrinsics exist in AssemblyScript only.
 */
function readSource(name: string): string | null {
  const match = /^([a-z-]+)\.ts$/.exec(name)
  return match === null ? null : readFileSync(new URL(`./${match[1]}.as`, import.meta.url), 'utf8')
}

/** The module that carries the compiled bytes as text, so that they load without a file. */
export function kernelModuleText(bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,92}/g) ?? []
  return [
    '/**',
    ' * Compiled matrix kernel, WebAssembly with SIMD, in base64. Written by',
    ' * `node anomaly/kernel-source/build.ts` from the AssemblyScript beside it; a test compares.',
    ' */',
    'export const MATRIX_KERNEL_WASM = [',
    ...lines.map((line) => `  '${line}',`),
    "].join('')",
    '',
  ].join('\n')
}

/** Where the module lives. */
export const KERNEL_MODULE = new URL('../src/kernel/matrix-kernel-wasm.ts', import.meta.url)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bytes = await buildKernel()
  writeFileSync(KERNEL_MODULE, kernelModuleText(bytes))
  console.log(`${bytes.length} bytes of WebAssembly written`)
}
