import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

/** Compressed copies beside the assets: the server sends them as they are. */
function compressedCopies(): Plugin {
  let directory = ''
  return {
    name: 'compressed-copies',
    apply: 'build',
    configResolved: (config) => {
      directory = join(config.root, config.build.outDir, 'assets')
    },
    closeBundle: () => {
      for (const name of readdirSync(directory).filter((file) => /\.(js|css)$/.test(file))) {
        const path = join(directory, name)
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }))
      }
    },
  }
}

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { target: 'es2022', assetsInlineLimit: 0 },
  plugins: [compressedCopies()],
  server: { proxy: { '/api': 'http://localhost:8080' } },
})
