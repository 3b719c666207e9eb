export { defineFleet, type FleetDefinition, IsothermError } from './contracts/index.ts'
export {
  defineDeployment,
  type Deployment,
  type DeploymentOptions,
  openDeployment,
  type PipelineOutcome,
  runPipeline,
  startOperation,
} from './runtime/index.ts'
