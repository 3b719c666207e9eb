/**
 * A physical unit as exponents by symbol: `A/°C` is {A: 1, K: -1}. °C and K count as one symbol: the
 * spread between two temperatures is the same number in both.
 */
export type Unit = ReadonlyMap<string, number>

const oneSymbol: Readonly<Record<string, string>> = { '°C': 'K', cycles: '' }

/** Reads `A/°C`, `mm/s`, `°C/min`; everything after the first slash divides. */
export function unitOf(text: string): Unit {
  const exponents = new Map<string, number>()
  text.split('/').forEach((symbol, index) => {
    const name = oneSymbol[symbol.trim()] ?? symbol.trim()
    if (name === '' || name === '1') return
    exponents.set(name, (exponents.get(name) ?? 0) + (index === 0 ? 1 : -1))
  })
  return withoutZeros(exponents)
}

function withoutZeros(exponents: ReadonlyMap<string, number>): Unit {
  return new Map([...exponents].filter(([, exponent]) => exponent !== 0))
}

/** Unit of a quotient. */
export function unitQuotient(numerator: Unit, denominator: Unit): Unit {
  const exponents = new Map(numerator)
  for (const [symbol, exponent] of denominator) {
    exponents.set(symbol, (exponents.get(symbol) ?? 0) - exponent)
  }
  return withoutZeros(exponents)
}

/** Whether values of two units may be added or compared. */
export function isSameUnit(a: Unit, b: Unit): boolean {
  return a.size === b.size && [...a].every(([symbol, exponent]) => b.get(symbol) === exponent)
}
