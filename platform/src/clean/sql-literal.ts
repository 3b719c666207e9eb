/** A text as SQL literal. */
export function sqlText(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

/** An instant as SQL literal of type TIMESTAMPTZ. */
export function sqlInstant(epochMs: number): string {
  return `make_timestamptz(${Math.trunc(epochMs)} * 1000)`
}
