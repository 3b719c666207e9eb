const unitMs: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
}

/**
 * Milliseconds of a duration as table properties spell it, `interval 1 week 2 days`.
 * @returns undefined if the text is none
 */
export function parseInterval(text: string): number | undefined {
  const words = text.trim().toLowerCase().split(/\s+/)
  const parts = words[0] === 'interval' ? words.slice(1) : words
  if (parts.length === 0 || parts.length % 2 === 1) return undefined
  let totalMs = 0
  for (let i = 0; i < parts.length; i += 2) {
    const unit = unitMs[(parts[i + 1] ?? '').replace(/s$/, '')]
    const count = Number(parts[i])
    if (unit === undefined || !Number.isFinite(count)) return undefined
    totalMs += count * unit
  }
  return totalMs
}
