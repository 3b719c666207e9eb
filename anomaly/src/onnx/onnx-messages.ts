import {
  bytesField,
  floatField,
  floatsField,
  integerField,
  integersField,
  type Message,
  message,
  textField,
} from './protobuf.ts'

// Field and type numbers of onnx.proto, IR version 8 (github.com/onnx/onnx, Apache-2.0).
const IR_VERSION = 8
const FLOAT32 = 1
const attributeTypes = { float: 1, integer: 2, text: 3, floats: 6, integers: 7, texts: 8 } as const

/** Operator sets: the default one and that of tree ensembles. */
const OPERATOR_SETS = [
  ['', 13],
  ['ai.onnx.ml', 3],
] as const

/** Value of an operator's attribute. */
export type AttributeValue =
  | { readonly float: number }
  | { readonly integer: number }
  | { readonly text: string }
  | { readonly floats: ArrayLike<number> }
  | { readonly integers: ArrayLike<number> }
  | { readonly texts: readonly string[] }

/** One operator of a graph. */
export type GraphNode = {
  readonly operator: string
  /** Default: the standard operators. */
  readonly domain?: 'ai.onnx.ml'
  readonly inputs: readonly string[]
  readonly output: string
  readonly attributes?: Readonly<Record<string, AttributeValue>>
}

/** A graph from one table of float32 rows to one. */
export type Graph = {
  readonly name: string
  readonly columnNames: readonly string[]
  readonly output: string
  readonly outputCount: number
  /** Scalars that nodes refer to by name. */
  readonly constants: Readonly<Record<string, number>>
  readonly nodes: readonly GraphNode[]
}

/** Bytes of a model file; the input is called `features`, its columns stand in the metadata. */
export function encodeGraph(graph: Graph): Uint8Array {
  const columns = JSON.stringify(graph.columnNames)
  return message(
    integerField(1, IR_VERSION),
    textField(2, '@isotherm/anomaly'),
    bytesField(7, graphMessage(graph)),
    ...OPERATOR_SETS.map(([domain, version]) =>
      bytesField(8, message(textField(1, domain), integerField(2, version))),
    ),
    bytesField(14, message(textField(1, 'columns'), textField(2, columns))),
  )
}

function graphMessage(graph: Graph): Message {
  const { nodes, name, constants, columnNames, output, outputCount } = graph
  return message(
    ...nodes.map((node) => bytesField(1, nodeMessage(node))),
    textField(2, name),
    ...Object.entries(constants).map(([constant, value]) =>
      bytesField(5, scalarMessage(constant, value)),
    ),
    bytesField(11, tableMessage('features', columnNames.length)),
    bytesField(12, tableMessage(output, outputCount)),
  )
}

function nodeMessage({ operator, domain, inputs, output, attributes = {} }: GraphNode): Message {
  return message(
    ...inputs.map((input) => textField(1, input)),
    textField(2, output),
    textField(3, output),
    textField(4, operator),
    ...Object.entries(attributes).map(([name, value]) =>
      bytesField(5, message(textField(1, name), attributeMessage(value))),
    ),
    ...(domain === undefined ? [] : [textField(7, domain)]),
  )
}

function attributeMessage(value: AttributeValue): Message {
  const typed = (type: keyof typeof attributeTypes, ...fields: Message[]) =>
    message(...fields, integerField(20, attributeTypes[type]))
  if ('float' in value) return typed('float', floatField(2, value.float))
  if ('integer' in value) return typed('integer', integerField(3, value.integer))
  if ('text' in value) return typed('text', textField(4, value.text))
  if ('floats' in value) return typed('floats', floatsField(7, value.floats))
  if ('integers' in value) return typed('integers', integersField(8, value.integers))
  return typed('texts', ...value.texts.map((text) => textField(9, text)))
}

function scalarMessage(name: string, value: number): Message {
  return message(integerField(2, FLOAT32), floatsField(4, [value]), textField(8, name))
}

/** A table of float32 with any number of rows. */
function tableMessage(name: string, columnCount: number): Message {
  const rows = bytesField(1, textField(2, 'rows'))
  const columns = bytesField(1, integerField(1, columnCount))
  const tensor = message(integerField(1, FLOAT32), bytesField(2, message(rows, columns)))
  return message(textField(1, name), bytesField(2, bytesField(1, tensor)))
}
