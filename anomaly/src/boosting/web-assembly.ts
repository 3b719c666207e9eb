/** The part of the WebAssembly interface that the histogram kernel needs. */
export type WasmMemory = { readonly buffer: ArrayBufferLike }

type WasmHost = {
  readonly Memory: new (size: {
    readonly initial: number
    readonly maximum: number
    readonly shared: boolean
  }) => WasmMemory
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> }
  readonly validate: (bytes: Uint8Array) => boolean
}

/** WebAssembly where the runtime has it; the compiler's library for Node does not declare it. */
export const wasmHost: WasmHost | undefined = Reflect.get(globalThis, 'WebAssembly')

/** Bytes of a WebAssembly page. */
export const PAGE_BYTES = 65_536

/** Pages that a memory with 32-bit addresses can have. */
export const MAX_PAGES = 65_536
