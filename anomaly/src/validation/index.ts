export { requireNoRepeatedRow, requireNoTellingColumn } from './column-leak.ts'
export {
  type FoldOptions,
  groupFolds,
  stratifiedFolds,
  stratifiedGroupFolds,
} from './fold-splits.ts'
export { outOfFold } from './out-of-fold.ts'
export { type LeakChecks, type RowSplit, requireNoLeak } from './row-split.ts'
export { type DeviceRole, type RoleShares, stickyRole } from './sticky-roles.ts'
export type { RowWeighting, SupervisedTarget } from './supervised-target.ts'
export {
  type ForwardOptions,
  forwardSplits,
  type PurgedOptions,
  purgedFolds,
} from './time-splits.ts'
