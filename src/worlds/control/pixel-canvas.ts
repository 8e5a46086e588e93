import type { Rgb } from '../scenes/attributes.ts'
import type { Pixels } from '../scenes/raster.ts'

/** Three by five pixels a sign, rows from the top, the leftmost pixel in the highest of three bits. */
const signs: Readonly<Record<string, readonly number[]>> = {
  '0': [7, 5, 5, 5, 7],
  '1': [2, 6, 2, 2, 7],
  '2': [7, 1, 7, 4, 7],
  '3': [7, 1, 3, 1, 7],
  '4': [5, 5, 7, 1, 1],
  '5': [7, 4, 7, 1, 7],
  '6': [7, 4, 7, 5, 7],
  '7': [7, 1, 2, 2, 2],
  '8': [7, 5, 7, 5, 7],
  '9': [7, 5, 7, 1, 7],
  A: [2, 5, 7, 5, 5],
  C: [7, 4, 4, 4, 7],
  J: [1, 1, 1, 5, 7],
  K: [5, 5, 6, 5, 5],
  Q: [7, 5, 5, 7, 1],
  T: [7, 2, 2, 2, 2],
  '+': [0, 2, 7, 2, 0],
  '-': [0, 0, 7, 0, 0],
  '*': [0, 5, 2, 5, 0],
  '/': [1, 1, 2, 4, 4],
  '(': [1, 2, 2, 2, 1],
  ')': [4, 2, 2, 2, 4],
  '=': [0, 7, 0, 7, 0],
  '?': [7, 1, 2, 0, 2],
}
const signWidth = 3
const signHeight = 5

/** A small picture to be drawn on: rectangles and signs, hard edges. What falls outside is left out. */
export class PixelCanvas implements Pixels {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array

  constructor(width: number, height: number, background: Rgb) {
    this.width = width
    this.height = height
    this.data = new Uint8Array(width * height * 3)
    this.fill(0, 0, width, height, background)
  }

  /** Pixels from (x, y) on. */
  fill(x: number, y: number, width: number, height: number, [red, green, blue]: Rgb): void {
    for (let row = Math.max(0, y); row < Math.min(this.height, y + height); row++)
      for (let column = Math.max(0, x); column < Math.min(this.width, x + width); column++) {
        const at = (row * this.width + column) * 3
        this.data[at] = red
        this.data[at + 1] = green
        this.data[at + 2] = blue
      }
  }

  /** Digits, signs of arithmetic and the letters of cards, one pixel (times `scale`) apart; others stay blank. */
  write(text: string, x: number, y: number, colour: Rgb, scale = 1): void {
    for (const [index, sign] of [...text].entries()) {
      const left = x + index * (signWidth + 1) * scale
      signs[sign]?.forEach((bits, row) => {
        for (let column = 0; column < signWidth; column++)
          if (bits & (4 >> column)) this.fill(left + column * scale, y + row * scale, scale, scale, colour)
      })
    }
  }
}

/** Pixels that a text takes. */
export function textWidth(text: string, scale = 1): number {
  return Math.max(0, text.length * (signWidth + 1) - 1) * scale
}
export const textHeight = signHeight
