import {
  GuerdonError,
  type ImageSource,
  imagesOf,
  isDialogue,
  type Message,
  type Part,
  type Sample,
  type Turns,
} from '../../core/index.ts'
import { fetchBytes } from '../../data/fetch-bytes.ts'
import { isPublicAddress } from '../../data/public-address.ts'
import { RequestProblem } from '../request-problem.ts'
import type { ServeConfig } from '../serve-context.ts'

/**
 * Samples of a request with their images checked: no paths, no more and no larger images than the limits say, and URLs
 * either refused or fetched here (public addresses only, redirects checked), so that no reward fetches anything for a
 * stranger. Rejects with a `RequestProblem`.
 */
export function checkedImages(
  samples: readonly Sample[],
  config: ServeConfig,
  request: { readonly signal: AbortSignal },
): readonly Sample[] | Promise<readonly Sample[]> {
  let images = 0
  let remote = false
  for (const sample of samples) {
    if (typeof sample.prompt === 'string' && typeof sample.output === 'string') continue
    for (const source of [...imagesOf(sample.prompt), ...imagesOf(sample.output)]) {
      if (++images > config.limits.images)
        throw new RequestProblem(
          413,
          'too-many-images',
          `the request has more than ${config.limits.images} images.`,
        )
      if (checked(source, config)) remote = true
    }
  }
  return remote ? withFetched(samples, config, request.signal) : samples
}

/** Whether the image is elsewhere. */
function checked(source: ImageSource, { limits, imageUrls }: ServeConfig): boolean {
  if ('path' in source)
    throw new RequestProblem(400, 'path-not-allowed', 'an image is a path, and requests never reach files.', {
      fix: 'Send it as a data URL: data:image/png;base64,...',
    })
  if ('bytes' in source || /^data:/i.test(source.url)) {
    const bytes = 'bytes' in source ? source.bytes.length : Math.floor((source.url.length * 3) / 4)
    if (bytes > limits.imageBytes + 128)
      throw new RequestProblem(413, 'image-too-large', `an image has more than ${limits.imageBytes} bytes.`)
    return false
  }
  if (!imageUrls)
    throw new RequestProblem(400, 'url-not-allowed', 'an image is a URL, and URLs are not fetched.', {
      fix: 'Send it as a data URL, or start the server with --image-urls.',
    })
  return true
}

async function withFetched(
  samples: readonly Sample[],
  { limits }: ServeConfig,
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const fetched = new Map<string, Promise<ImageSource>>()
  const fetchOnce = (url: string) => {
    let image = fetched.get(url)
    if (image === undefined) {
      image = fetchBytes(url, {
        maxBytes: limits.imageBytes,
        timeoutMs: 10_000,
        allows: isPublicAddress,
        signal,
      }).then(
        (bytes) => ({ bytes }),
        (error: unknown) => {
          if (!(error instanceof GuerdonError)) throw error
          throw new RequestProblem(error.code === 'fetch-failed' ? 422 : 400, error.code, error.message, {
            cause: error,
          })
        },
      )
      fetched.set(url, image)
    }
    return image
  }
  const source = (image: ImageSource) =>
    'url' in image && !/^data:/i.test(image.url) ? fetchOnce(image.url) : image
  const part = async (each: Part): Promise<Part> => {
    if (each.type === 'image' && each.image) return { ...each, image: await source(each.image) }
    if (each.type === 'video') return { ...each, frames: await Promise.all(each.frames.map(source)) }
    return each
  }
  const turns = async (value: Turns): Promise<Turns> => {
    if (typeof value === 'string') return value
    if (isDialogue(value))
      return Promise.all(
        value.map(
          async (message): Promise<Message> =>
            typeof message.content === 'string'
              ? message
              : { ...message, content: await Promise.all(message.content.map(part)) },
        ),
      )
    return Promise.all((value as readonly Part[]).map(part))
  }
  return Promise.all(
    samples.map(async (sample) => ({
      ...sample,
      prompt: await turns(sample.prompt),
      output: await turns(sample.output),
    })),
  )
}
