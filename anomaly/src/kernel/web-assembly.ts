/** The memory of a WebAssembly module. */
export type WasmMemory<Buffer extends ArrayBufferLike = ArrayBufferLike> = {
  readonly buffer: Buffer
}

/** The part of the WebAssembly interface that the kernels need. */
type WasmHost = {
  readonly Memory: {
    new (size: { readonly initial: number }): WasmMemory<ArrayBuffer>
    new (size: {
      readonly initial: number
      readonly maximum: number
      readonly shared: boolean
    }): WasmMemory
  }
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> }
  readonly validate: (bytes: Uint8Array) => boolean
}

const found: unknown = Reflect.get(globalThis, 'WebAssembly')

/**
 * WebAssembly where the runtime has it; the compiler's library for Node does not declare it. Its
 * shape is the standard's (WebAssembly JavaScript Interface 2.0).
 */
export const wasmHost = found as WasmHost | undefined

/** Bytes of a WebAssembly page. */
export const PAGE_BYTES = 65_536

/** Pages that a memory with 32-bit addresses can have. */
export const MAX_PAGES = 65_536
