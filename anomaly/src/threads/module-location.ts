/**
 * Address of a module that stands beside `fromUrl`, with its extension: `.ts` when run from source,
 * `.js` when compiled. A literal `new URL('./x.ts', …)` would not be rewritten by the compiler.
 */
export function siblingModule(name: string, fromUrl: string): URL {
  const extension = new URL(fromUrl).pathname.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./${name}.${extension}`, fromUrl)
}
