import type { FleetDefinition } from 'isotherm/contracts'

/** Which sensors older firmware does not send, ING-51; the first entry that applies counts. */
export const firmwareMatrix: FleetDefinition['firmwareMatrix'] = [
  { below: '3.0', absent: ['vibration_compressor', 'subcooling'] },
  { below: '3.5', absent: ['subcooling'] },
]

function isBelow(version: string, limit: string): boolean {
  const parts = version.split('.').map(Number)
  for (const [index, bound] of limit.split('.').map(Number).entries()) {
    const part = parts[index] ?? 0
    if (part !== bound) return part < bound
  }
  return false
}

/** Sensors that a firmware version does not send; without a version all are expected. */
export function absentSensors(firmwareVersion: string | null): readonly string[] {
  if (firmwareVersion === null) return []
  return firmwareMatrix.find(({ below }) => isBelow(firmwareVersion, below))?.absent ?? []
}
