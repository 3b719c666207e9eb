/** The name as a quoted SQL identifier. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The text as a quoted SQL literal. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A path for the engine: characters that it takes for wildcards are escaped. */
export function enginePath(path: string): string {
  return path.replace(/[[*?]/g, '[$&]')
}

/** File paths as a SQL list literal. */
export function sqlPathList(paths: readonly string[]): string {
  return `[${paths.map((path) => sqlText(enginePath(path))).join(', ')}]`
}
