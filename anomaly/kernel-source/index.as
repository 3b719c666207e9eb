// The matrix kernel: 32-bit floats in one memory, addressed by float index (bytes / 4). Every
// count and stride of columns is a multiple of 4; row counts are free. No function allocates.
// Sums run in one fixed order and nothing is fused or relaxed, so that the plain twin in
// src/kernel gives the same bits on any machine.
export { multiply } from './matrix-product'
export { transpose, addRows, scaleInto, multiplyInto, gatherRows } from './elements'
export { relu, reluBackward, tanh, tanhBackward } from './activation'
export { residual } from './residual'
export { adamStep } from './adam'
export { lstmCell, lstmCellBackward } from './lstm-cell'
