/** A number given as `--name=value` on the command line of `npm run verify`. */
export function numberFlag(name: string, byDefault: number): number {
  const text = process.argv.find((word) => word.startsWith(`--${name}=`))
  if (text === undefined) return byDefault
  const value = Number(text.slice(name.length + 3))
  if (!Number.isFinite(value)) throw new Error(`--${name} takes a number, not ${text}`)
  return value
}

/** True if `--name` was given. */
export function hasFlag(name: string): boolean {
  return process.argv.includes(`--${name}`)
}
