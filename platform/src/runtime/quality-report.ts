import { type QualityReport, qualityReport, summaryJob } from '../quality/index.ts'
import type { Deployment } from './deployment.ts'
import { deploymentExpectations } from './quality-gates.ts'

/** Brings the daily summary up to date and reports the quality of the data of a deployment. */
export async function deploymentReport(
  deployment: Deployment,
  { days = 7 }: { readonly days?: number } = {},
): Promise<QualityReport> {
  const { lake, state, clock } = deployment
  const nowMs = clock()
  const devices = state.registry.devices()
  await summaryJob({ lake, nowMs }, devices)
  return qualityReport(lake, {
    ...{ devices, nowMs, days },
    expectations: await deploymentExpectations(deployment),
    entries: await state.gates.list(),
  })
}
