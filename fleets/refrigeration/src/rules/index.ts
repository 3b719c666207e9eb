import type { StreamRule } from 'isotherm/contracts'
import { acutePressureLoss } from './acute-pressure-loss.ts'
import { compressorOverload } from './compressor-overload.ts'
import { totalCoolingLoss } from './total-cooling-loss.ts'
import { vibrationSpike } from './vibration-spike.ts'

/** The four streaming rules, SRV-16 to SRV-19. */
export const streamRules: readonly StreamRule[] = [
  compressorOverload,
  vibrationSpike,
  acutePressureLoss,
  totalCoolingLoss,
]
