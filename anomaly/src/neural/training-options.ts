import { invalidOption } from '../errors.ts'

/** How a network is trained. */
export type TrainingOptions = {
  /**
   * Most passes over the training rows. Default 100; a dense network takes more on a small table,
   * until they make 5,000 steps. 0 returns the network as it starts, for checks against another
   * implementation.
   */
  readonly maxEpochs?: number
  /**
   * Rows per step of Adam, default 64 windows, or 256 rows: fewer of a small table, down to 16, so
   * that an epoch has some thirty steps.
   */
  readonly batchSize?: number
  /** α of Adam, default 0.001 (Kingma & Ba 2015). */
  readonly learningRate?: number
  /**
   * Weight decay λ: ½·λ·Σ weights² / rows of the batch is added to the loss, as scikit-learn's
   * `alpha`; biases are free. Default 0.0001 for dense networks, 0 for LSTMs.
   */
  readonly l2?: number
  /**
   * Share of the training rows held out to stop early, drawn at random; default 0.1. With 0, or
   * with too few rows to hold one out, training takes all epochs.
   */
  readonly heldOutFraction?: number
  /**
   * Rows held out instead of a random share: neighbouring windows of a device are alike, so that
   * rows of later days or other devices tell more.
   */
  readonly heldOutRows?: ArrayLike<number>
  /** Epochs without a lower held-out loss before training stops, default 5. */
  readonly patience?: number
  /** Take the rows in a new random order in every epoch, default true. */
  readonly shuffle?: boolean
  /** Seed of every random choice, default 42. */
  readonly seed?: number
}

/** Options after defaults and checks. */
export type CompleteTraining = Required<Omit<TrainingOptions, 'heldOutRows'>> &
  Pick<TrainingOptions, 'heldOutRows'>

/** Fills in the defaults, of which some depend on the kind of network. */
export function completeTraining(
  options: TrainingOptions,
  defaults: { readonly batchSize: number; readonly maxEpochs: number; readonly l2: number },
): CompleteTraining {
  const { maxEpochs = defaults.maxEpochs, batchSize = defaults.batchSize } = options
  const { learningRate = 0.001, l2 = defaults.l2, heldOutFraction = 0.1, patience = 5 } = options
  const { shuffle = true, seed = 42, heldOutRows } = options
  requireInteger('maxEpochs', maxEpochs, 0, 100_000)
  requireInteger('batchSize', batchSize, 1, 65_536)
  requireInteger('patience', patience, 1, 100_000)
  if (!(learningRate > 0 && learningRate < Number.POSITIVE_INFINITY)) {
    throw invalidOption('learningRate', '> 0', learningRate)
  }
  if (!(l2 >= 0 && l2 < Number.POSITIVE_INFINITY)) throw invalidOption('l2', '≥ 0', l2)
  if (!(heldOutFraction >= 0 && heldOutFraction < 1)) {
    throw invalidOption('heldOutFraction', 'in [0, 1)', heldOutFraction)
  }
  return {
    maxEpochs,
    batchSize,
    learningRate,
    l2,
    heldOutFraction,
    patience,
    shuffle,
    seed,
    ...(heldOutRows === undefined ? {} : { heldOutRows }),
  }
}

/** Refuses an option that is no integer in [minimum, maximum]. */
export function requireInteger(
  name: string,
  value: number,
  minimum: number,
  maximum: number,
): void {
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw invalidOption(name, `an integer in [${minimum}, ${maximum}]`, value)
  }
}
