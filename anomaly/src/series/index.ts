export { decomposeStl, type StlDecomposition } from './stl.ts'
export type { StlOptions, StlSettings } from './stl-options.ts'
export { type StlPlan, stlPlan } from './stl-plan.ts'
