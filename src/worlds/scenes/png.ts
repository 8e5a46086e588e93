import { crc32, deflateSync } from 'node:zlib'
import type { Pixels } from './raster.ts'

const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10)

/** The bytes of a PNG file (8-bit RGB, no filter). Small, flat pictures need nothing more. */
export function encodePng({ width, height, data }: Pixels): Uint8Array {
  const rows = Buffer.alloc(height * (1 + width * 3))
  for (let y = 0; y < height; y++)
    rows.set(data.subarray(y * width * 3, (y + 1) * width * 3), y * (1 + width * 3) + 1)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8) // bit depth, colour type RGB, deflate, no filter method, not interlaced
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, content: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + content.length)
  bytes.writeUInt32BE(content.length, 0)
  bytes.write(type, 4, 'latin1')
  bytes.set(content, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + content.length)), 8 + content.length)
  return bytes
}

/** `data:image/png;base64,...`, for reports. */
export function pngDataUrl(pixels: Pixels): string {
  return `data:image/png;base64,${Buffer.from(encodePng(pixels)).toString('base64')}`
}

export interface ContactSheetOptions {
  /** Pictures in a row. @default 8 */
  readonly columns?: number
  /** Whole-number enlargement. @default 4 */
  readonly scale?: number
}

/** Many pictures of one size in one, enlarged, two pixels apart. */
export function contactSheet(
  pictures: readonly Pixels[],
  { columns = 8, scale = 4 }: ContactSheetOptions = {},
): Pixels {
  const [first] = pictures
  if (first === undefined) throw new RangeError('a contact sheet needs at least one picture')
  const gap = 2
  const cellWidth = first.width * scale + gap
  const cellHeight = first.height * scale + gap
  const width = Math.min(columns, pictures.length) * cellWidth - gap
  const height = Math.ceil(pictures.length / columns) * cellHeight - gap
  const data = new Uint8Array(width * height * 3).fill(200)
  pictures.forEach((picture, index) => {
    const left = (index % columns) * cellWidth
    const top = Math.floor(index / columns) * cellHeight
    for (let y = 0; y < first.height * scale; y++)
      for (let x = 0; x < first.width * scale; x++) {
        const from = (Math.floor(y / scale) * picture.width + Math.floor(x / scale)) * 3
        data.set(picture.data.subarray(from, from + 3), ((top + y) * width + left + x) * 3)
      }
  })
  return { width, height, data }
}
