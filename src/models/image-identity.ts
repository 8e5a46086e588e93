import { hash } from 'node:crypto'
import { type ChatImage, checkRaster, encodedImage } from './chat-image.ts'

const hashes = new WeakMap<object, string>()
const encoded = new WeakMap<object, ReturnType<typeof encodedImage>>()

/** Names an image by what is in it; the same image object is read once. Throws as `encodedImage`. */
export async function imageIdentity(image: ChatImage): Promise<string> {
  let found = hashes.get(image)
  if (found === undefined) {
    if ('data' in image) {
      checkRaster(image)
      found = `${image.width}x${image.height}:${hash('sha256', image.data, 'hex')}`
    } else found = hash('sha256', (await encodedOnce(image)).bytes, 'hex')
    hashes.set(image, found)
  }
  return found
}

/** The file of an image, made once for each image object that is alive. */
export function encodedOnce(image: ChatImage): ReturnType<typeof encodedImage> {
  let found = encoded.get(image)
  if (found === undefined) {
    found = encodedImage(image)
    encoded.set(image, found)
  }
  return found
}
