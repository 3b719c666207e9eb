/** The name as a quoted SQL identifier. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The text as a quoted SQL literal. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** File paths as a SQL list literal; characters that the engine takes for wildcards are escaped. */
export function sqlPathList(paths: readonly string[]): string {
  return `[${paths.map((path) => sqlText(path.replace(/[[*?]/g, '[$&]'))).join(', ')}]`
}
