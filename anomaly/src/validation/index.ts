export type { RowWeighting, SupervisedTarget } from './supervised-target.ts'
