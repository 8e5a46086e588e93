/**
 * A region of a picture, as COCO writes one: polygons, or run lengths over the pixels column by column from the upper
 * left. Read from JSON by `readMaskList`.
 */
export type Mask = PolygonMask | RunLengthMask

export interface PolygonMask {
  /** Outlines `[x1, y1, x2, y2, ...]` in image pixels, at least three corners each; what any of them encloses belongs to it. */
  readonly polygons: readonly (readonly number[])[]
}

export interface RunLengthMask {
  /** [height, width] in pixels of the mask, which covers the whole picture, whatever that one's size. */
  readonly size: readonly [number, number]
  /** Pixels in turn outside and inside, beginning outside; or the same as COCO's compressed string. */
  readonly counts: string | readonly number[]
}
