export {
  auroc,
  averagePrecision,
  descendingOrder,
  precisionAtK,
} from './ranking-metrics.ts'
