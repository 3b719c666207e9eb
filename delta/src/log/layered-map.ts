/**
 * A map that never changes, made from another by a few changes at the cost of those: a large base and
 * a small layer over it, merged when the layer has grown to about the square root of the base. So a
 * table of a million files takes in a commit without copying a million entries.
 */
export class LayeredMap<V> implements ReadonlyMap<string, V> {
  readonly size: number
  private readonly base: ReadonlyMap<string, V>
  /** Newer values; undefined where the base's key is gone. */
  private readonly layer: ReadonlyMap<string, V | undefined>

  constructor(
    base: ReadonlyMap<string, V> = new Map(),
    layer: ReadonlyMap<string, V | undefined> = new Map(),
    size = base.size,
  ) {
    this.base = base
    this.layer = layer
    this.size = size
  }

  /** This map after changes, given in order; a value of undefined takes a key away. */
  with(changes: Iterable<readonly [string, V | undefined]>): LayeredMap<V> {
    // A map that begins empty takes the changes as its base; nothing refers to them yet.
    const isFirst = this.base.size === 0 && this.layer.size === 0
    const layer = new Map<string, V | undefined>(this.layer)
    let { size } = this
    for (const [key, value] of changes) {
      const isPresent = layer.has(key) ? layer.get(key) !== undefined : this.base.has(key)
      if (value !== undefined) {
        layer.set(key, value)
        if (!isPresent) size++
      } else if (isPresent) {
        if (this.base.has(key)) layer.set(key, undefined)
        else layer.delete(key)
        size--
      }
    }
    if (isFirst) return new LayeredMap(layer as ReadonlyMap<string, V>, new Map(), size)
    const changed = new LayeredMap(this.base, layer, size)
    const isLarge = layer.size > 64 + 2 * Math.sqrt(this.base.size)
    return isLarge ? new LayeredMap(new Map(changed.entries())) : changed
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  get(key: string): V | undefined {
    return this.layer.has(key) ? this.layer.get(key) : this.base.get(key)
  }

  *entries(): MapIterator<[string, V]> {
    const { base, layer } = this
    for (const [key, value] of base) if (layer.size === 0 || !layer.has(key)) yield [key, value]
    for (const [key, value] of layer) if (value !== undefined) yield [key, value]
    return undefined
  }

  *keys(): MapIterator<string> {
    for (const [key] of this.entries()) yield key
    return undefined
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value
    return undefined
  }

  forEach(task: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this.entries()) task(value, key, this)
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries()
  }
}
