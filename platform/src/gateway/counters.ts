/** One value for a metrics page; labels are few and of known values. */
export type Metric = {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

type Cell = { readonly name: string; readonly labels: Metric['labels']; value: number }

/** Plain counters, made when they are first used. */
export class Counters {
  readonly #cells = new Map<string, Cell>()

  /** The counter itself, for hot paths: `cell.value++`. */
  cell(name: string, label?: string, value?: string): { value: number } {
    const key = label === undefined ? name : `${name} ${label} ${value}`
    let cell = this.#cells.get(key)
    if (cell === undefined) {
      cell = { name, labels: label === undefined ? {} : { [label]: value ?? '' }, value: 0 }
      this.#cells.set(key, cell)
    }
    return cell
  }

  add(name: string, label?: string, value?: string, by = 1): void {
    this.cell(name, label, value).value += by
  }

  all(): readonly Metric[] {
    return [...this.#cells.values()].map(({ name, labels, value }) => ({ name, labels, value }))
  }
}
