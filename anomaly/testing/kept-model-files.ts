import { readdirSync, readFileSync } from 'node:fs'

/** Folder of the kept files: `name.1.base64.txt`, `name.2.base64.txt`, … in order of release. */
export const KEPT_FOLDER = new URL('./kept-model-files/', import.meta.url)

/** Name of a model's file number `index` + 1. */
export function keptFileName(name: string, index: number): string {
  return `${name}.${index + 1}.base64.txt`
}

/** All kept files of a model, oldest first, as bytes. */
export function keptFiles(name: string): readonly Uint8Array[] {
  const present = new Set(readdirSync(KEPT_FOLDER))
  const files: Uint8Array[] = []
  for (;;) {
    const file = keptFileName(name, files.length)
    if (!present.has(file)) return files
    const text = readFileSync(new URL(file, KEPT_FOLDER), 'utf8')
    files.push(Uint8Array.from(Buffer.from(text, 'base64')))
  }
}
