import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { metricCatalogue } from './metric-catalogue.ts'
import { metricsText, readMetrics } from './metrics-text.ts'

describe('metrics as text', () => {
  it('read back as they were, whatever stands in a label', () => {
    const sample = fc.record({
      name: fc.constantFrom('gateway_connects_total', 'something_new_bytes'),
      labels: fc.dictionary(fc.constantFrom('result', 'code'), fc.string({ unit: 'binary' }), {
        minKeys: 1,
      }),
      value: fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n)),
    })
    fc.assert(
      fc.property(fc.array(sample), (samples) => {
        const isOurs = ({ labels }: { labels: object }) => Object.keys(labels).length > 0
        const read = readMetrics(metricsText(samples)).filter(isOurs)
        const key = (one: object) => JSON.stringify(one)
        const plain = samples.map(({ name, labels, value }) => ({
          name,
          labels: { ...labels },
          value,
        }))
        expect(read.map(key).toSorted()).toEqual(plain.map(key).toSorted())
      }),
    )
  })

  it('say what they mean, and count from zero', () => {
    const text = metricsText([{ name: 'gateway_connections', labels: {}, value: 3 }])
    expect(text).toContain(
      '# HELP gateway_connections Open MQTT connections\n# TYPE gateway_connections gauge\ngateway_connections 3',
    )
    expect(text).toContain('# TYPE gateway_messages_stored_total counter')
    expect(text).toContain('\ngateway_messages_stored_total 0')
  })
})

describe('the catalogue', () => {
  it('names units and counters by the rules', () => {
    for (const { name, kind } of metricCatalogue) {
      expect(name).toMatch(/^[a-z_]+$/)
      expect(name.endsWith('_total')).toBe(kind === 'counter')
    }
    expect(new Set(metricCatalogue.map(({ name }) => name)).size).toBe(metricCatalogue.length)
  })

  it('is the one of the documentation, and knows what the gateway counts', () => {
    const root = join(import.meta.dirname, '..', '..', '..')
    const page = readFileSync(join(root, 'docs', 'guides', 'watching.md'), 'utf8')
    const rows = metricCatalogue.map(
      ({ name, kind, labels, meaning }) =>
        `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${meaning} |`,
    )
    for (const row of rows) expect(page).toContain(row)
    const source = [
      'gateway.ts',
      'intake.ts',
      'admission.ts',
      'mqtt-session.ts',
      'mqtt-listener.ts',
    ]
      .map((file) => readFileSync(join(import.meta.dirname, '..', 'gateway', file), 'utf8'))
      .join('\n')
    const counted = [...source.matchAll(/'(gateway_[a-z_]+)'/g)].map(([, name]) => name)
    const known = metricCatalogue.map(({ name }) => name)
    expect(counted.filter((name) => !known.includes(name ?? ''))).toEqual([])
  })
})
