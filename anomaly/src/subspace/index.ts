export {
  fitPrincipalComponents,
  type PrincipalComponentsModel,
  type PrincipalComponentsOptions,
  type PrincipalStatistic,
} from './principal-components.ts'
export {
  explainPrincipalComponents,
  type PrincipalStatistics,
  principalStatistics,
  projectPrincipalComponents,
  scorePrincipalComponents,
} from './principal-components-score.ts'
