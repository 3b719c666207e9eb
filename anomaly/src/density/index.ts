export { type EcodModel, type EcodOptions, fitEcod } from './ecod.ts'
export { explainEcod, scoreEcod } from './ecod-score.ts'
export { fitHbos, type HbosModel, type HbosOptions } from './hbos.ts'
export { explainHbos, scoreHbos } from './hbos-score.ts'
