/** Texts of a column as numbers into a list of different ones. */
export interface TextDictionary {
  readonly texts: readonly string[]
  /** One code per row from the first row coded on; null rows have 0. */
  readonly codes: Uint16Array
  /** Rows without a text, by their position in `codes`; undefined if there are none. */
  readonly nullRows: Uint32Array | undefined
}

/** A column of more different texts is handed over text by text. */
const maxTexts = 4096

/**
 * Rows `start`..`end` as a dictionary, or undefined if it does not pay (many different texts) or a
 * value is no plain text: a zero character or half a surrogate pair does not survive in a type name.
 * Cost: a look-up per row, a quarter of what handing a text over costs.
 */
export function textDictionary(
  values: readonly unknown[],
  start: number,
  end: number,
): TextDictionary | undefined {
  const codeOf = new Map<unknown, number>()
  const codes = new Uint16Array(end - start)
  const nullRows: number[] = []
  for (let row = start; row < end; row++) {
    const value = values[row]
    let code = codeOf.get(value)
    if (code === undefined) {
      if (value === null || value === undefined) {
        nullRows.push(row - start)
        continue
      }
      if (typeof value !== 'string' || codeOf.size === maxTexts) return undefined
      if (value.includes('\u0000') || !value.isWellFormed()) return undefined
      code = codeOf.size
      codeOf.set(value, code)
    }
    codes[row - start] = code
  }
  const texts = [...codeOf.keys()].filter((text) => typeof text === 'string')
  if (texts.length === 0) return undefined
  return { texts, codes, nullRows: nullRows.length === 0 ? undefined : Uint32Array.from(nullRows) }
}
