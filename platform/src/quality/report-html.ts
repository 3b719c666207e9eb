import type { GateEntry } from './gate-entry.ts'
import type { PartFigures, QualityReport } from './report.ts'

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const text = (value: string) => value.replaceAll(/[&<>"']/g, (mark) => escapes[mark] ?? mark)
const count = (value: number) => value.toLocaleString('en-US')
const percent = (share: number) => `${(share * 100).toFixed(share < 0.0995 && share > 0 ? 2 : 1)} %`
const instant = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ')

const style = `
:root { color-scheme: light dark; --page: #f6f7f9; --surface: #fff; --ink: #17202b; --muted: #5b6776;
  --line: #dfe4ea; --held: #b3261e; --warned: #8a5a00; --good: #1a7a4c; --track: #e7ebf0 }
@media (prefers-color-scheme: dark) { :root { --page: #10151b; --surface: #182029; --ink: #e8edf3;
  --muted: #9aa7b5; --line: #2b3642; --held: #ff8a80; --warned: #f2b84b; --good: #5fd39a;
  --track: #2b3642 } }
* { box-sizing: border-box }
body { margin: 0; padding: 24px 16px 60px; background: var(--page); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif }
main { max-width: 1240px; margin: 0 auto }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.05rem; margin: 30px 0 8px }
p { margin: 4px 0; color: var(--muted) }
.wide { overflow-x: auto; background: var(--surface); border: 1px solid var(--line);
  border-radius: 10px }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: 7px 12px; text-align: left; border-top: 1px solid var(--line);
  vertical-align: top; white-space: nowrap }
td.words { white-space: normal; min-width: 16em }
thead th { border: 0; color: var(--muted); font-size: .8rem } .n { text-align: right }
.held { color: var(--held); font-weight: 650 } .warned { color: var(--warned); font-weight: 650 }
.good { color: var(--good) } .muted { color: var(--muted) }
.bar { display: inline-block; width: 90px; height: 6px; border-radius: 3px;
  background: var(--track); margin-right: 8px; vertical-align: middle; overflow: hidden }
.bar i { display: block; height: 100%; background: var(--warned) }
@media print { body { background: #fff } }
`

const stateWords: Readonly<Record<PartFigures['state'], string>> = {
  held: 'stands still',
  warned: 'open gate',
  good: 'good',
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '<p>None.</p>'
  const head = heads.map((name) => `<th scope="col">${text(name)}</th>`).join('')
  const body = rows.map((cells) => `<tr>${cells.join('')}</tr>`).join('\n')
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`
}

const cell = (value: string) => `<td>${text(value)}</td>`
const number = (value: number) => `<td class="n">${count(value)}</td>`
const bar = (share: number) =>
  `<td><span class="bar"><i style="width:${Math.min(100, share * 100).toFixed(1)}%"></i></span>${percent(share)}</td>`

function scopeText({ scope }: GateEntry): string {
  if (scope.siteId === undefined) return 'whole fleet'
  return scope.firmware === '' ? scope.siteId : `${scope.siteId}, firmware ${scope.firmware}`
}

function entryRows(entries: readonly GateEntry[], checks: ReadonlyMap<string, string>) {
  return entries.map((entry) => {
    const holds =
      entry.holds === 'rows'
        ? `${count(entry.rowCount)} rows wait`
        : entry.holds === 'scoring'
          ? 'not scored'
          : 'nothing stops'
    const kind = entry.holds === 'nothing' ? 'warned' : 'held'
    const state =
      entry.status === 'open'
        ? `<td class="${kind}">${text(holds)}</td>`
        : `<td class="good">closed by ${text(entry.clearedBy ?? 'self')}</td>`
    const found = entry.detail === undefined ? '' : ` (${entry.detail})`
    return [
      `<th scope="row">${text(entry.gateId)}</th>`,
      `<td class="words">${text(checks.get(entry.gateId) ?? '')}${text(found)}</td>`,
      cell(scopeText(entry)),
      cell(`${percent(entry.value)} of at most ${percent(entry.limit)}`),
      state,
      cell(instant(entry.openedAtMs)),
    ]
  })
}

function partRows(parts: readonly PartFigures[], name: (part: PartFigures) => string) {
  return parts.map((part) => {
    const flagged = part.flags.RANGE_VIOLATION ?? 0
    return [
      `<th scope="row">${text(name(part))}</th>`,
      `<td class="${part.state}">${stateWords[part.state]}${
        part.openGateIds.length === 0 ? '' : ` ${text(part.openGateIds.join(', '))}`
      }</td>`,
      number(part.deviceCount),
      number(part.readingCount),
      bar(flagged / Math.max(1, part.readingCount)),
      number(part.waitingCount),
      number(part.quarantinedCount),
      number(part.deadLetterCount),
      number(part.weakSensorCount),
      number(part.deadSensorCount),
    ]
  })
}

const partHeads = (first: string) => [
  ...[first, 'State', 'Devices', 'Readings', 'Out of range', 'Waiting', 'Set aside'],
  ...['Unreadable', 'Weak sensors', 'Dead sensors'],
]

/**
 * The report as one HTML file that needs nothing else: no script, no font, no address. Every text
 * from outside is escaped.
 */
export function reportHtml(report: QualityReport): string {
  const checks = new Map(report.expectations.map(({ id, check }) => [id, check]))
  const open = report.entries.filter(({ status }) => status === 'open')
  const closed = report.entries.filter(({ status }) => status === 'cleared').slice(0, 50)
  const heads = ['Gate', 'Expectation', 'Where', 'Found', 'State', 'Since (UTC)']
  const { total } = report
  const flags = Object.entries(total.flags).toSorted(([, a], [, b]) => b - a)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Data quality: ${text(report.title)}</title><style>${style}</style></head>
<body><main>
<h1>Data quality: ${text(report.title)}</h1>
<p>${instant(report.fromMs)} to ${instant(report.generatedAtMs)} UTC.
${count(total.deviceCount)} devices, ${count(total.readingCount)} readings,
${count(total.waitingCount)} rows wait behind gates, ${count(total.quarantinedCount)} are set aside,
${count(total.deadLetterCount)} messages could not be read.</p>
<h2>Open gates</h2>
${table(heads, entryRows(open, checks))}
<h2>Sites</h2>
${table(
  partHeads('Site'),
  partRows(report.sites, ({ siteId = '', siteName }) => siteName ?? siteId),
)}
<h2>Firmware</h2>
${table(
  partHeads('Firmware'),
  partRows(report.firmware, ({ firmware = '' }) => (firmware === '' ? 'not known' : firmware)),
)}
<h2>Sensors</h2>
${table(
  ['Sensor', 'Missing', 'Weak', 'Dead'],
  report.sensors.map(({ label, nullRate, weakCount, deadCount }) => [
    `<th scope="row">${text(label)}</th>`,
    bar(nullRate),
    number(weakCount),
    number(deadCount),
  ]),
)}
<h2>Flags</h2>
${table(
  ['Flag', 'Rows', 'Share'],
  flags.map(([name, rows]) => [
    `<th scope="row">${text(name)}</th>`,
    number(rows),
    bar(rows / Math.max(1, total.readingCount)),
  ]),
)}
<h2>Expectations</h2>
${table(
  ['Id', 'Table', 'Expectation', 'Severity', 'Limit', 'Open'],
  report.expectations.map(({ id, table: name, check, severity, limit, openCount }) => [
    `<th scope="row">${text(id)}</th>`,
    cell(name),
    `<td class="words">${text(check)}</td>`,
    cell(severity),
    cell(percent(limit)),
    `<td class="n${openCount > 0 ? ' warned' : ''}">${openCount}</td>`,
  ]),
)}
<h2>Closed lately</h2>
${table(heads, entryRows(closed, checks))}
</main></body></html>
`
}
