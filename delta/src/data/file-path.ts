import { PathOutsideTable } from '../errors.ts'

/** Names that need neither Hive's nor the URI's escaping, so that both are the identity. */
const plainName = /^[A-Za-z0-9._-]+$/

/** Most paths of a log: relative and without anything to decode. */
const ordinaryPath = /^[A-Za-z0-9_.=-][A-Za-z0-9_.=/-]*$/

/** True if the text may stand in a folder name as it is. */
export function isPlainName(text: string): boolean {
  return plainName.test(text) && text !== '.' && text !== '..'
}

/**
 * The file a log path means. The log holds URI references: decoded once, the result is the name on
 * disk (which Hive-style writers have escaped a second time). Delta: "Add File and Remove File".
 * @returns a path relative to the table, or an absolute path or URI
 * @throws PathOutsideTable if a relative path climbs out
 */
export function decodeLogPath(path: string, table: string): string {
  if (ordinaryPath.test(path) && !path.includes('..')) return path
  const decoded = decodeUri(path)
  const absolute = /^file:\/*(\/.*)$/.exec(decoded)
  if (absolute) return absolute[1] ?? decoded
  if (isAbsolutePath(decoded)) return decoded
  // A backslash separates folders too where the table lies on Windows.
  if (decoded.split(/[\\/]/).includes('..')) {
    throw new PathOutsideTable({
      table,
      where: `file ${path}`,
      what: 'leaves the folder of the table',
      fix: 'do not trust this log; find out who wrote it',
    })
  }
  return decoded
}

/** The log path of a file of the table. */
export function encodeLogPath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/').replaceAll('%3D', '=')
}

/** True for `/…` and for `scheme://…`. */
export function isAbsolutePath(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z][A-Za-z0-9+.-]*:\//.test(path)
}

function decodeUri(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch (cause) {
    // A lone percent sign: a writer that does not encode. The name is then meant as it stands.
    if (cause instanceof URIError) return path
    throw cause
  }
}
