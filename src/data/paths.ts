/**
 * The value at a dotted path: keys and list indices, such as `answers.0.text`. A key that itself holds dots is
 * tried whole first. `*` stands for every element of a list and gives a list. `undefined` where there is none.
 */
export function valueAt(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  if (Object.hasOwn(value, path)) return (value as Record<string, unknown>)[path]
  for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
    const head = path.slice(0, dot)
    const rest = path.slice(dot + 1)
    if (head === '*' && Array.isArray(value)) {
      const found = value.map((item) => valueAt(item, rest)).filter((item) => item !== undefined)
      return rest.includes('*') ? found.flat() : found
    }
    if (Object.hasOwn(value, head)) return valueAt((value as Record<string, unknown>)[head], rest)
  }
  return path === '*' && Array.isArray(value) ? value : undefined
}
