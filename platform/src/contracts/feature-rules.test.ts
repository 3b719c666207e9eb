import { describe, expect, it } from 'vitest'
import { defineFleet } from './define-fleet.ts'
import { exampleFleet } from './example-fleet.ts'
import type { FeatureFormula } from './feature-formula.ts'

const fleetWith = (formula: FeatureFormula, unit = '') =>
  defineFleet({
    ...exampleFleet,
    modelFeatures: [
      { name: 'new_one', label: 'new one', unit, group: 'pressure', resolution: 0.1, formula },
    ],
  })

describe('a feature definition is refused before anything runs', () => {
  const refused: readonly (readonly [string, FeatureFormula, string, string])[] = [
    [
      'kPa and °C do not add up',
      { kind: 'difference', minuend: 'pressure_mean', subtrahend: 'temp_mean' },
      'kPa',
      'takes temp_mean (°C) from pressure_mean (kPa); both need one unit',
    ],
    [
      'the unit is not what the formula gives',
      { kind: 'rate', of: 'pressure_mean', windows: 1 },
      'kPa',
      "has unit 'kPa', but its formula gives 'kPa^1 h^-1'",
    ],
    [
      'it would see the future',
      { kind: 'lag', of: 'pressure_mean', windows: -1 },
      'kPa',
      'looks 1 windows ahead; a feature never sees the future',
    ],
    [
      'its rolling mean would see the future',
      { kind: 'rolling', of: 'pressure_mean', days: -7, atLeast: { share: 0.5 } },
      'kPa',
      'looks 7 days ahead; a feature never sees the future',
    ],
    [
      'a sensor is unknown',
      { kind: 'starts', sensor: 'presure', level: 0.5 },
      '',
      'reads sensor presure, which the fleet does not have; it has temperature, pressure',
    ],
    [
      'a feature is unknown',
      { kind: 'lag', of: 'presure_mean', windows: 1 },
      '',
      'builds on feature presure_mean, which is not defined before it',
    ],
    [
      'the window does not divide its source',
      { kind: 'rolling', of: 'pressure_mean', days: 0.5, atLeast: { share: 0.5 } },
      'kPa',
      'looks back over 720 min, which windows of 1440 min do not divide',
    ],
    [
      'a state has no trend',
      { kind: 'aggregate', sensor: 'door_open', aggregate: 'slope' },
      '1/min',
      'takes the slope of door_open, which is a state; use its fraction',
    ],
  ]

  for (const [reason, formula, unit, message] of refused) {
    it(`when ${reason}`, () => {
      expect(() => fleetWith(formula, unit)).toThrow(`feature new_one ${message}`)
    })
  }

  it('but °C minus °C is a spread, in °C or in K', () => {
    const formula = { kind: 'difference', minuend: 'temp_max', subtrahend: 'temp_min' } as const
    expect(() => fleetWith(formula, 'K')).not.toThrow()
    expect(() => fleetWith(formula, '°C')).not.toThrow()
    expect(() => fleetWith({ ...formula, subtrahend: 'temp_slope' }, 'K')).toThrow('both need one')
  })
})
