import { metricCatalogue } from './metric-catalogue.ts'

/** One value of a metric. */
export type Sample = {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A label's value as the text format quotes it. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}

function line({ name, labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}=${quoted(text)}`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`
}

/**
 * Prometheus text of samples, each metric with its help and type. A counter without labels that
 * nothing was counted by yet is 0, so that its first increase is seen as one.
 * Source: Prometheus exposition format 0.0.4.
 */
export function metricsText(samples: readonly Sample[]): string {
  const groups = Map.groupBy(samples, ({ name }) => name)
  for (const { name, kind, labels } of metricCatalogue) {
    const isMissing = kind === 'counter' && labels.length === 0 && !groups.has(name)
    if (isMissing) groups.set(name, [{ name, labels: {}, value: 0 }])
  }
  const meanings = new Map(metricCatalogue.map((entry) => [entry.name, entry]))
  return [...groups]
    .flatMap(([name, group]) => {
      const known = meanings.get(name)
      const kind = known?.kind ?? (name.endsWith('_total') ? 'counter' : 'gauge')
      const help = known === undefined ? [] : [`# HELP ${name} ${known.meaning}`]
      return [...help, `# TYPE ${name} ${kind}`, ...group.map(line)]
    })
    .join('\n')
}

/** Reads Prometheus text back; lines that are none are left out. */
export function readMetrics(text: string): readonly Sample[] {
  const samples: Sample[] = []
  for (const one of text.split('\n')) {
    const found = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/s.exec(one)
    const [, name = '', labelText = '', value = ''] = found ?? []
    if (found === null) continue
    const labels = [...labelText.matchAll(/([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/gs)].map(
      ([, key = '', quotedText = '']) =>
        [key, quotedText.replaceAll(/\\(.)/gs, (_, c) => (c === 'n' ? '\n' : c))] as const,
    )
    samples.push({ name, labels: Object.fromEntries(labels), value: Number(value) })
  }
  return samples
}
