export { createMatrixKernel, type MatrixKernel } from './matrix-kernel.ts'
