import type { DeviceRow, FleetDefinition } from '../contracts/index.ts'

/** Standard atmosphere, added to pressures that are measured against it, CON-4. */
const atmosphereKpa = 101.325

/** How to read one sensor of a device. */
export type PlannedSensor = {
  readonly name: string
  readonly isBoolean: boolean
  /** Added to every value, for gauge pressures. */
  readonly offset: number
  /** Values below are skipped, SRV-14. */
  readonly lowest: number
  /** Values above are skipped, unless a rule judges this sensor: there they are a breach, SRV-14. */
  readonly highest: number
}

/** How to read the messages of devices of one class and pressure reference. */
export type SensorPlan = readonly PlannedSensor[]

function planSensors(
  fleet: FleetDefinition,
  device: Pick<DeviceRow, 'equipment_class' | 'pressure_reference'>,
): SensorPlan {
  const judged = new Set(fleet.streamRules.map(({ sensor }) => sensor))
  const isGauge = device.pressure_reference === 'gauge'
  const idleRanges = fleet.idleBounds?.ranges ?? {}
  return fleet.sensors.map(({ name, kind, range: ownRange }) => {
    const range = fleet.rangeProfiles[device.equipment_class]?.[name] ?? ownRange
    // A standing circuit equalises: what is plausible while idle is no broken sensor either.
    const idle = idleRanges[name]
    const lowest = Math.min(range?.[0] ?? -Infinity, idle?.[0] ?? Infinity)
    const highest = Math.max(range?.[1] ?? Infinity, idle?.[1] ?? -Infinity)
    return {
      name,
      isBoolean: kind === 'boolean',
      offset: isGauge && fleet.absolutePressureSensors.includes(name) ? atmosphereKpa : 0,
      lowest,
      highest: judged.has(name) ? Infinity : highest,
    }
  })
}

/** Plans by class and pressure reference, made once each. */
export function createSensorPlans(fleet: FleetDefinition): (device: DeviceRow) => SensorPlan {
  const plans = new Map<string, SensorPlan>()
  return (device) => {
    const key = `${device.equipment_class}\n${device.pressure_reference}`
    const plan = plans.get(key) ?? planSensors(fleet, device)
    plans.set(key, plan)
    return plan
  }
}
