const pieceSize = 4096

/** One Server-Sent Event. */
export function eventText(event: string, data: string): string {
  return `event: ${event}\ndata: ${data}\n\n`
}

/** A comment, which keeps a connection from being given up. */
export const heartbeat = ': keep-alive\n\n'

/**
 * A JSON value in pieces that survive careless readers of event streams: ASCII alone (some split lines at any Unicode line
 * end, and a cut must not fall into a character), at most 4096 characters and a little, no space at either end. Joined they
 * are the value's JSON.
 */
export function jsonPieces(value: unknown): string[] {
  const text = JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  const pieces: string[] = []
  for (let start = 0; start < text.length; start += pieceSize)
    // Spaces stand inside strings only, where the escape says the same.
    pieces.push(text.slice(start, start + pieceSize).replace(/^ | $/g, '\\u0020'))
  return pieces
}

/** The answer of a call as events: pieces as `chunk`, the last one as `end`; nothing at all is an empty `end`. */
export function resultEvents(value: unknown): string {
  if (value === null || value === undefined) return eventText('end', '')
  const pieces = jsonPieces(value)
  return pieces
    .map((piece, index) => eventText(index === pieces.length - 1 ? 'end' : 'chunk', piece))
    .join('')
}

/**
 * A stream that says `first` at once, a comment every `heartbeatMs` while it waits, and in the end what `rest` gives.
 * `rest` never rejects. A reader that goes away ends only the stream.
 */
export function waitingStream(
  first: string,
  rest: Promise<string>,
  heartbeatMs = 10_000,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let timer: NodeJS.Timeout | undefined
  return new ReadableStream({
    start(controller) {
      controller.enqueue(encoder.encode(first))
      timer = setInterval(() => controller.enqueue(encoder.encode(heartbeat)), heartbeatMs)
      rest.then((text) => {
        if (timer === undefined) return
        clearInterval(timer)
        timer = undefined
        controller.enqueue(encoder.encode(text))
        controller.close()
      })
    },
    cancel() {
      clearInterval(timer)
      timer = undefined
    },
  })
}
