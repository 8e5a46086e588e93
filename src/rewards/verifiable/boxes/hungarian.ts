/**
 * The cheapest one-to-one assignment of rows to columns, exactly: shortest augmenting paths with potentials
 * (Jonker and Volgenant 1987; Crouse 2016). Assigns min(rows, columns) pairs, in O(min^2 * max) time.
 *
 * @param costs    Float64[rows * columns], row by row; finite, of any sign
 * @returns        Int32[rows]: the column of each row, -1 for a row left over. Among assignments of equal cost the
 *                 one returned is always the same, but not the first in any particular order.
 * @throws RangeError  when a cost is not finite or their number is not rows * columns
 */
export function cheapestAssignment(costs: ArrayLike<number>, rows: number, columns: number): Int32Array {
  if (costs.length !== rows * columns)
    throw new RangeError(`${rows} x ${columns} costs expected, ${costs.length} given`)
  for (let i = 0; i < costs.length; i++)
    if (!Number.isFinite(costs[i]!))
      throw new RangeError(`cost ${i} is ${costs[i]}; only finite costs can be compared`)
  const columnOfRow = new Int32Array(rows).fill(-1)
  if (rows <= columns) {
    const rowOfColumn = augment((row, column) => costs[row * columns + column]!, rows, columns)
    rowOfColumn.forEach((row, column) => {
      if (row >= 0) columnOfRow[row] = column
    })
    return columnOfRow
  }
  const columnAssigned = augment((column, row) => costs[row * columns + column]!, columns, rows)
  columnOfRow.set(columnAssigned)
  return columnOfRow
}

/** Assigns every one of `few` to one of `many`; Int32[many] of which, -1 = free. */
function augment(cost: (few: number, many: number) => number, few: number, many: number): Int32Array {
  const assigned = new Int32Array(many).fill(-1)
  const potentialFew = new Float64Array(few)
  const potentialMany = new Float64Array(many)
  const distance = new Float64Array(many) // length of the shortest path to each column found so far
  const previous = new Int32Array(many) // the column before it on that path, -1 = the path's start
  const done = new Uint8Array(many)
  for (let start = 0; start < few; start++) {
    distance.fill(Number.POSITIVE_INFINITY)
    done.fill(0)
    let from = start
    let through = -1
    let reached = 0
    for (;;) {
      let nearest = -1
      for (let column = 0; column < many; column++) {
        if (done[column]) continue
        const length = reached + cost(from, column) - potentialFew[from]! - potentialMany[column]!
        if (length < distance[column]!) {
          distance[column] = length
          previous[column] = through
        }
        if (nearest < 0 || distance[column]! < distance[nearest]!) nearest = column
      }
      reached = distance[nearest]!
      done[nearest] = 1
      through = nearest
      if (assigned[nearest]! < 0) break
      from = assigned[nearest]!
    }
    // Reduced costs stay non-negative, and zero along the path, for everything the search has closed.
    potentialFew[start]! += reached
    for (let column = 0; column < many; column++) {
      if (!done[column] || column === through) continue
      const slack = reached - distance[column]!
      potentialMany[column]! -= slack
      potentialFew[assigned[column]!]! += slack
    }
    for (let column = through; column >= 0; ) {
      const before = previous[column]!
      assigned[column] = before < 0 ? start : assigned[before]!
      column = before
    }
  }
  return assigned
}
