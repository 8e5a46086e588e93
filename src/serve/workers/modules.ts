/** The folder of guerdon's sources, or of its built files: `src/` or `dist/`. */
const root = new URL('../../', import.meta.url).href
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
const scheme = 'guerdon:'

/** A module's URL as every machine can read it: one of guerdon's own by its place in the package, another as it is. */
export function portableModule(url: string): string {
  return url.startsWith(root) ? scheme + url.slice(root.length).replace(/\.[tj]s$/, '') : url
}

/** The URL that `portableModule` was given, on this machine. */
export function localModule(text: string): string {
  return text.startsWith(scheme) ? root + text.slice(scheme.length) + extension : text
}
