/**
 * Collects what comes in one turn of the event loop, or for a while, and does it at once.
 *
 * @param work gets what was collected in its order
 * @param waitMs how long to collect, asked when the first comes; 0 is this turn alone
 * @returns what `work` gives for all that was collected with the item
 */
export function gathered<Item, Result>(
  work: (items: readonly Item[]) => Promise<Result>,
  waitMs: () => number = () => 0,
): (item: Item) => Promise<Result> {
  let open: { readonly items: Item[]; readonly done: Promise<Result> } | undefined
  return (item) => {
    if (open === undefined) {
      const items: Item[] = []
      const wait = waitMs()
      const collected = new Promise<void>((resolve) => {
        if (wait > 0) setTimeout(resolve, wait)
        else setImmediate(resolve)
      })
      const done = collected.then(() => {
        open = undefined
        return work(items)
      })
      open = { items, done }
    }
    open.items.push(item)
    return open.done
  }
}
