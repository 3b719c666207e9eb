/** The name as a quoted SQL identifier. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The text as SQL: a quoted literal, or pieces of it where the text holds the character U+0000. */
export function sqlText(text: string): string {
  if (!text.includes('\0')) return `'${text.replaceAll("'", "''")}'`
  // The engine's parser ends a statement at this character.
  return `(${text.split('\0').map(sqlText).join(' || chr(0) || ')})`
}

/** A path for the engine: characters that it takes for wildcards are escaped. */
export function enginePath(path: string): string {
  return path.replace(/[[*?]/g, '[$&]')
}

/** File paths as a SQL list literal. */
export function sqlPathList(paths: readonly string[]): string {
  return `[${paths.map((path) => sqlText(enginePath(path))).join(', ')}]`
}
