import { IsothermError } from '../contracts/index.ts'

/** Number of an option's text. @throws IsothermError INPUT_INVALID when it is none or too small */
export function numberOf(text: string, name: string, least: number): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value >= least) return value
  throw new IsothermError(
    'INPUT_INVALID',
    `--${name} ${text}: expected a number of ${least} or more`,
  )
}

/** Whole number of an option's text. @throws IsothermError INPUT_INVALID */
export function countOf(text: string, name: string, least: number): number {
  const value = numberOf(text, name, least)
  if (Number.isSafeInteger(value)) return value
  throw new IsothermError('INPUT_INVALID', `--${name} ${text}: expected a whole number`)
}

/** Epoch ms of an ISO text; a day stands for its start in UTC. @throws IsothermError INPUT_INVALID */
export function instantOf(text: string, name: string): number {
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isFinite(ms)) return ms
  throw new IsothermError(
    'INPUT_INVALID',
    `--${name} ${text}: expected an instant such as 2026-11-21T00:00:00Z`,
  )
}

/** The `threads` of a deployment, when given. */
export function threadsOf(text: string | undefined): { readonly threads?: number } {
  return text === undefined ? {} : { threads: countOf(text, 'threads', 1) }
}
