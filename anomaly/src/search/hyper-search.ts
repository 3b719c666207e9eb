import { AnomalyError, invalidOption } from '../errors.ts'
import { createRandom } from '../statistics/random.ts'
import { designPoint, designSize } from './search-design.ts'
import {
  decodePoint,
  encodeParameters,
  type ParametersOf,
  requireSpace,
  type SearchSpace,
} from './search-space.ts'
import { suggestPoint } from './suggest-point.ts'

/** What came of an evaluation. */
export type TrialOutcome =
  /** Lower is better. */
  | { readonly kind: 'measured'; readonly loss: number }
  | { readonly kind: 'failed'; readonly reason: string }

/** One evaluation. */
export type Trial<Space extends SearchSpace = SearchSpace> = {
  readonly parameters: ParametersOf<Space>
  readonly outcome: TrialOutcome
}

/**
 * A search for the parameters with the least loss: plain data, so it can be stored after every
 * trial and resumed. What is tried next depends on the space, the seed and the trials so far only.
 */
export type HyperSearch<Space extends SearchSpace = SearchSpace> = {
  readonly kind: 'hyper_search'
  readonly stateVersion: 1
  readonly space: Space
  readonly seed: number
  readonly trials: readonly Trial<Space>[]
}

/**
 * Starts a search.
 * @param space `as const` where choices should keep their literal types
 * @param seed default 42
 * @throws INVALID_OPTION for ranges that are none
 */
export function startSearch<const Space extends SearchSpace>(
  space: Space,
  seed = 42,
): HyperSearch<Space> {
  requireSpace(space)
  createRandom(seed)
  return { kind: 'hyper_search', stateVersion: 1, space, seed, trials: [] }
}

/**
 * Parameters to try next: first a spread-out design of 3 + 2 · dimensions points, then the point of
 * highest expected improvement under a Gaussian process over all trials. Failed trials count as the
 * worst measured, so that their neighbourhood is avoided but not forbidden.
 * Cost O(trials³ · coordinates), about 0.1 s for 100 trials of 6 dimensions.
 * Source: Jones et al. 1998; Snoek, Larochelle & Adams 2012 (chosen over TPE, Bergstra et al. 2011,
 * because it needs fewer trials in the low dimensions that detectors have).
 */
export function nextParameters<Space extends SearchSpace>(
  search: HyperSearch<Space>,
): ParametersOf<Space> {
  const { space, seed, trials } = search
  if (trials.length < designSize(space)) {
    return decodePoint(space, designPoint(space, seed, trials.length))
  }
  return decodePoint(space, suggestPoint(search))
}

/**
 * The search with one more trial, suggested or the caller's own (the present settings, say).
 * @throws INVALID_OPTION for parameters outside the space
 */
export function withTrial<Space extends SearchSpace>(
  search: HyperSearch<Space>,
  parameters: ParametersOf<Space>,
  outcome: TrialOutcome,
): HyperSearch<Space> {
  encodeParameters(search.space, parameters)
  if (outcome.kind === 'measured' && !Number.isFinite(outcome.loss)) {
    throw invalidOption('outcome.loss', 'a finite number; else record a failure', outcome.loss)
  }
  return { ...search, trials: [...search.trials, { parameters, outcome }] }
}

/** The measured trial with the least loss, the earlier on ties; undefined if none was measured. */
export function bestTrial<Space extends SearchSpace>(
  search: HyperSearch<Space>,
): (Trial<Space> & { readonly outcome: { readonly kind: 'measured' } }) | undefined {
  let best: (Trial<Space> & { readonly outcome: { kind: 'measured'; loss: number } }) | undefined
  for (const { parameters, outcome } of search.trials) {
    if (outcome.kind !== 'measured') continue
    if (best === undefined || outcome.loss < best.outcome.loss) best = { parameters, outcome }
  }
  return best
}

/** When a search ends. */
export type SearchBudget = {
  /** Trials in all, those of a resumed search included. */
  readonly maxTrials: number
  /** No trial starts at or after `endMs` of the caller's clock. Default: no end. */
  readonly deadline?: { readonly nowMs: () => number; readonly endMs: number }
}

/**
 * Runs trials until the budget is spent. An evaluation that throws, or returns NaN or ±∞, is
 * recorded as failed and the search goes on.
 * @param evaluate loss of parameters, lower is better
 * @param onTrial called with the search after every trial, to store it
 * @throws INVALID_OPTION; NOT_CONVERGED if the budget is spent and every trial failed
 */
export async function runSearch<Space extends SearchSpace>(
  search: HyperSearch<Space>,
  evaluate: (parameters: ParametersOf<Space>) => number | Promise<number>,
  budget: SearchBudget,
  onTrial?: (search: HyperSearch<Space>) => void | Promise<void>,
): Promise<HyperSearch<Space>> {
  const { maxTrials, deadline } = budget
  if (!(Number.isInteger(maxTrials) && maxTrials >= 1)) {
    throw invalidOption('maxTrials', 'an integer ≥ 1', maxTrials)
  }
  let current = search
  while (current.trials.length < maxTrials) {
    if (deadline !== undefined && deadline.nowMs() >= deadline.endMs) break
    const parameters = nextParameters(current)
    current = withTrial(current, parameters, await outcomeOf(evaluate, parameters))
    await onTrial?.(current)
  }
  requireAnyMeasured(current)
  return current
}

async function outcomeOf<Parameters>(
  evaluate: (parameters: Parameters) => number | Promise<number>,
  parameters: Parameters,
): Promise<TrialOutcome> {
  try {
    const loss = await evaluate(parameters)
    if (Number.isFinite(loss)) return { kind: 'measured', loss }
    return { kind: 'failed', reason: `the loss is ${loss}` }
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) }
  }
}

function requireAnyMeasured({ trials }: HyperSearch): void {
  if (trials.length === 0 || trials.some(({ outcome }) => outcome.kind === 'measured')) return
  const [first] = trials
  const reason = first?.outcome.kind === 'failed' ? first.outcome.reason : ''
  throw new AnomalyError(
    'NOT_CONVERGED',
    `search: all ${trials.length} trials failed, the first with "${reason}"; check the evaluation`,
    { trialCount: trials.length, reason },
  )
}
