export { onnxOfTrees } from './onnx-trees.ts'
