import { z } from 'zod'

const range = z.tuple([z.number(), z.number()])

const sensor = z.object({
  name: z.string(),
  short: z.string(),
  label: z.string().describe('What a technician calls it, lower case'),
  kind: z.enum(['gauge', 'counter', 'boolean']),
  unit: z.string(),
  group: z.string(),
  range: range.nullable(),
  resolution: z.number(),
  meaning: z.string(),
})

const feature = z.object({
  name: z.string(),
  label: z.string(),
  unit: z.string(),
  group: z.string(),
  resolution: z.number().describe('Smallest spread that may divide'),
  sensor: z.string().nullable().describe('Sensor it is computed from, if one'),
})

const model = z.object({
  model_id: z.string(),
  kind: z.string(),
  window_minutes: z.array(z.number()),
})

const hint = z.object({
  feature: z.string(),
  direction: z.enum(['high', 'low']),
  text: z.string().describe('What it usually means, FEA-21'),
})

/** The fleet definition as the console needs it. */
export const fleetSchema = z
  .object({
    name: z.string(),
    title: z.string(),
    device_noun: z.string(),
    window_minutes: z.array(z.number()).describe('The first is the default for scores and alerts'),
    sensors: z.array(sensor),
    features: z.array(feature).describe('In stored order, CON-16'),
    bands: z.array(z.object({ sensor: z.string(), label: z.string() })),
    models: z.array(model),
    stream_rules: z.array(z.object({ id: z.string(), sensor: z.string(), group: z.string() })),
    hints: z.array(hint),
  })
  .describe('What the fleet consists of and how its numbers are read')

/** The fleet definition as the API sends it. */
export type FleetView = z.infer<typeof fleetSchema>
