import type { SampleViewOptions } from '../audit/report/sample-view.ts'
import { messageOf } from '../core/index.ts'
import { imageDataUrl } from '../data/images.ts'

/** Reads images for a page, each path once: small enough for a card, and nothing from the network. */
export function reportPicture(baseDirectory: string): SampleViewOptions['picture'] {
  const known = new Map<string, ReturnType<SampleViewOptions['picture']>>()
  return (source) => {
    const key = 'path' in source ? source.path : undefined
    const picture = (key === undefined ? undefined : known.get(key)) ?? pictureOf(source, baseDirectory)
    if (key !== undefined) known.set(key, picture)
    return picture
  }
}

async function pictureOf(source: Parameters<SampleViewOptions['picture']>[0], baseDirectory: string) {
  if ('url' in source && !source.url.startsWith('data:'))
    return `it is at ${source.url}, and a report loads nothing from the network`
  try {
    return await imageDataUrl(source, { baseDirectory, maxSide: 480 })
  } catch (error) {
    return messageOf(error)
  }
}
