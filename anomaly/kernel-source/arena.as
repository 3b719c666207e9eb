// The caller's float 0 stands behind the constants of the functions.
const ARENA: usize = 256

// Address of the float with this index.
@inline
export function addressOf(index: usize): usize {
  return (index << 2) + ARENA
}
