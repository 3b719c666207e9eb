import { Duplex } from 'node:stream'

/** One end of a connection in memory: what the server writes is counted and forgotten. */
export class Wire extends Duplex {
  writtenBytes = 0

  constructor() {
    super({ autoDestroy: true, emitClose: true })
  }

  override _read(): void {
    // What comes is pushed.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.writtenBytes += chunk.length
    done()
  }
}
