export { defineFleet, type FleetDefinition, IsothermError } from './contracts/index.ts'
export {
  type Deployment,
  type DeploymentOptions,
  defineDeployment,
  openDeployment,
  type PipelineOutcome,
  runPipeline,
  startOperation,
} from './runtime/index.ts'
