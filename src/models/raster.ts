/** An image in memory: rows from the top, four bytes a pixel (red, green, blue, alpha not premultiplied). */
export interface Raster {
  readonly width: number
  readonly height: number
  /** `width * height * 4` bytes. */
  readonly data: Uint8Array
}
