/** The name as a quoted SQL identifier. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The text as a quoted SQL literal. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** The texts as a SQL list literal. */
export function sqlTextList(texts: readonly string[]): string {
  return `[${texts.map(sqlText).join(', ')}]`
}
