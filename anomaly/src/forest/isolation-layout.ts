/**
 * Index into `leafPathLengths` at which rows arrive that fall left from `node` of depth `depth` to
 * the last level of a complete tree.
 */
export function leafOf(heightLimit: number, tree: number, node: number, depth: number): number {
  const leafCount = 2 ** heightLimit
  let arrival = node
  for (let level = depth; level < heightLimit; level++) arrival = 2 * arrival + 1
  return tree * leafCount + arrival - (leafCount - 1)
}
