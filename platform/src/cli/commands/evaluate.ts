import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { IsothermError } from '../../contracts/index.ts'
import { evaluateDays, type LabelledDay } from '../../runtime/index.ts'
import { type CommonOptions, command, withDeployment } from '../program.ts'

type EvaluateOptions = CommonOptions & { readonly labels: string; readonly model?: string }

/** Days of a CSV with a header: date, fault (0 or 1), and an optional note. */
function readLabels(path: string): readonly LabelledDay[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IsothermError('INPUT_INVALID', `--labels ${path}: ${reason}`, { cause })
  }
  return text
    .split(/\r?\n/)
    .slice(1)
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      const [date = '', fault = '', ...note] = line.split(',').map((cell) => cell.trim())
      if (!/^\d{4}-\d\d-\d\d$/.test(date) || !['0', '1'].includes(fault)) {
        throw new IsothermError(
          'INPUT_INVALID',
          `${path} line ${index + 2}: expected yyyy-MM-dd,0 or 1,note; found ${line}`,
        )
      }
      return { date, isFaulty: fault === '1', ...(note.length > 0 && { note: note.join(', ') }) }
    })
}

/** `isotherm evaluate`: days of known truth, each judged by a model that never saw it. */
export function addEvaluate(program: Command): void {
  command<EvaluateOptions>(
    program,
    'evaluate',
    'judge days of known truth, each by a model that never saw it',
    [
      new Option('--labels <file>', 'CSV: date,fault,note').makeOptionMandatory(),
      new Option('--model <id>', 'only this family'),
    ],
    async (options, output) => {
      const labels = readLabels(options.labels)
      await withDeployment(options, async ({ lake, fleet, state }) => {
        const specs = fleet.models.filter(
          ({ modelId }) => options.model === undefined || modelId === options.model,
        )
        if (specs.length === 0) {
          throw new IsothermError(
            'INPUT_INVALID',
            `the ${fleet.name} fleet has no model ${options.model}; it has ` +
              fleet.models.map(({ modelId }) => modelId).join(', '),
          )
        }
        const rows: Record<string, unknown>[] = []
        for (const spec of specs) {
          const [durationMinutes = 60] = spec.windowMinutes
          const devices = state.registry.devices()
          const evaluation = await evaluateDays({ lake, spec, durationMinutes, devices }, labels)
          for (const day of evaluation.days) {
            rows.push({
              model: spec.modelId,
              date: day.date,
              truth: day.isFaulty ? 'faulty' : 'healthy',
              score: day.dayScore,
              flagged: `${day.flaggedCount} of ${day.windowCount}`,
              verdict: day.isUnusual ? 'unusual' : 'usual',
              top_contributor: day.topContributor ?? null,
              note: day.note ?? null,
              day_auroc: evaluation.dayAuroc,
            })
          }
        }
        output.records(rows)
      })
    },
  )
}
