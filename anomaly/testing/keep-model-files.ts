import { mkdirSync, writeFileSync } from 'node:fs'
import { encodeModel } from '../src/model-file/model-file.ts'
import { KEPT_FOLDER, keptFileName, keptFiles } from './kept-model-files.ts'
import { keptModels } from './kept-models.ts'

/**
 * `node anomaly/testing/keep-model-files.ts`: for every model whose newest kept file is not what
 * this code writes, keeps one more. Files that a release has written are never changed or removed.
 */
mkdirSync(KEPT_FOLDER, { recursive: true })
for (const { name, fit } of keptModels()) {
  const bytes = encodeModel(fit())
  const files = keptFiles(name)
  const newest = files.at(-1)
  if (newest !== undefined && Buffer.from(newest).equals(bytes)) continue
  const file = keptFileName(name, files.length)
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,100}/g) ?? []
  writeFileSync(new URL(file, KEPT_FOLDER), `${lines.join('\n')}\n`)
  console.log(`${file}: ${bytes.length} bytes`)
}
