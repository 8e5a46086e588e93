import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/**
 * An endpoint that costs as little as one can: a bare socket server that looks for the end of each request and answers
 * the same bytes after `latencyMs`.
 */
export async function cannedEndpoint(
  answer: string,
  latencyMs: number,
): Promise<{ readonly baseUrl: string }> {
  const body = Buffer.from(answer)
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
  const bytes = Buffer.concat([Buffer.from(head), body])
  const server = createServer({ noDelay: true }, (socket) => {
    let unread = ''
    socket.on('error', () => socket.destroy())
    socket.on('data', (part: Buffer) => {
      unread += part.toString('latin1')
      for (;;) {
        const length = requestLength(unread)
        if (length === undefined || unread.length < length) return
        unread = unread.slice(length)
        setTimeout(respond, latencyMs, socket, bytes)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` }
}

function respond(socket: Socket, bytes: Buffer): void {
  if (socket.writable) socket.write(bytes)
}

/** Undefined until the head is whole. */
function requestLength(text: string): number | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1] ?? '0'
  return end + 4 + Number(length)
}
