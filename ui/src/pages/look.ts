import type { SampleFilter, SampleOrder } from '../wire.ts'

/** What the samples page shows: filter and order, as they stand in its address. */
export interface Look {
  readonly filter?: SampleFilter
  readonly order?: SampleOrder
  readonly descending?: boolean
}

/** In an address; `-` for the whole run in the order of the data. */
export function lookText(look: Look): string {
  const text = JSON.stringify(look)
  if (text === '{}') return '-'
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
    .replaceAll('+', '.')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

export function lookOf(text: string | undefined): Look {
  if (text === undefined || text === '-') return {}
  try {
    const bytes = atob(text.replaceAll('.', '+').replaceAll('_', '/'))
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))))
  } catch {
    return {}
  }
}

/** Without what says nothing, so that equal looks have one address. */
export function tidied({ filter = {}, order, descending }: Look): Look {
  const kept = Object.fromEntries(
    Object.entries(filter).filter(([, value]) =>
      Array.isArray(value) ? value.length > 0 : value !== undefined && value !== '',
    ),
  ) as SampleFilter
  return {
    ...(Object.keys(kept).length > 0 ? { filter: kept } : {}),
    ...(order === undefined || (order.by === 'position' && !descending) ? {} : { order }),
    ...(descending && order !== undefined ? { descending } : {}),
  }
}
