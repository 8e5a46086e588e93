import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testOnData } from '../../tests/shared-data.ts'
import { fetchBytes } from './fetch-bytes.ts'
import { imageDataUrl, loadImage, probeImage, readRecords } from './index.ts'
import { allowedAddressOf, isPublicAddress } from './public-address.ts'

const folder = mkdtempSync(join(tmpdir(), 'guerdon-images-'))
const inside = join(folder, 'data')
mkdirSync(inside)
const options = { baseDirectory: inside }
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'loaded',
    (error) => error.code ?? error,
  )

/** 3 x 2 pixels, red with one transparent corner. */
const pixels = Buffer.from([255, 0, 0, 0, ...Array.from({ length: 5 }, () => [255, 0, 0, 255]).flat()])
const raw = { raw: { width: 3, height: 2, channels: 4 as const } }
const png = await sharp(pixels, raw).png().toBuffer()

/** A PNG whose header promises far more pixels than its few bytes should hold. */
function bomb(side: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header.set([8, 6, 0, 0, 0], 8)
  const chunk = (type: string, data: Buffer) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(data.length)
    const body = Buffer.concat([Buffer.from(type), data])
    const sum = Buffer.alloc(4)
    sum.writeUInt32BE(crc(body))
    return Buffer.concat([length, body, sum])
  }
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(1 << 16))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
function crc(bytes: Uint8Array): number {
  let sum = ~0
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0)
  }
  return ~sum >>> 0
}

let server: Server
let origin = ''
let asked = 0
beforeAll(async () => {
  writeFileSync(join(inside, 'a.png'), png)
  writeFileSync(join(folder, 'outside.png'), png)
  symlinkSync(join(folder, 'outside.png'), join(inside, 'link.png'))
  server = createServer((request, response) => {
    asked++
    const path = request.url!
    if (path === '/a.png') response.writeHead(200, { 'content-type': 'image/png' }).end(png)
    else if (path === '/loop') response.writeHead(302, { location: '/loop' }).end()
    else if (path === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end()
    else if (path === '/away') response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end()
    else if (path === '/hop') response.writeHead(301, { location: 'a.png?x=1' }).end()
    else if (path.startsWith('/a.png?')) response.end(png)
    else if (path === '/endless') {
      response.writeHead(200)
      const timer = setInterval(() => response.write(Buffer.alloc(1 << 16)), 1)
      response.on('close', () => clearInterval(timer))
    } else if (path === '/silent') response.writeHead(200)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true })
})

describe('loading', () => {
  test('path, data URL and bytes give the same pixels', async () => {
    const sources = [
      { path: 'a.png' },
      { path: './x/../a.png' },
      { url: `data:image/png;base64,${png.toString('base64')}` },
      { url: `data:image/png,${[...png].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}` },
      { bytes: png },
    ]
    for (const source of sources)
      expect(await loadImage(source, options)).toEqual({
        width: 3,
        height: 2,
        data: new Uint8Array(pixels),
        format: 'png',
      })
  })
  test('grey, 16 bits, CMYK, palettes and first frames become RGBA', async () => {
    const grey = await sharp(Buffer.from([0, 128, 255]), { raw: { width: 3, height: 1, channels: 1 } })
    const deep = await grey.clone().toColourspace('grey16').png().toBuffer()
    const cmyk = await sharp(pixels, raw).flatten().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer()
    const gif = await sharp(pixels, raw).gif().toBuffer()
    expect((await loadImage({ bytes: deep })).data).toEqual(
      new Uint8Array([0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255]),
    )
    expect(await loadImage({ bytes: cmyk })).toMatchObject({ width: 3, data: { length: 24 }, format: 'jpeg' })
    expect(await loadImage({ bytes: gif })).toMatchObject({ height: 2, data: { length: 24 }, format: 'gif' })
  })
  test('EXIF turns the picture only when asked', async () => {
    const turned = await sharp(pixels, raw).jpeg().withMetadata({ orientation: 6 }).toBuffer()
    expect(await loadImage({ bytes: turned })).toMatchObject({ width: 3, height: 2 })
    expect(await loadImage({ bytes: turned }, { autoOrient: true })).toMatchObject({ width: 2, height: 3 })
    expect(await probeImage({ bytes: turned }, { autoOrient: true })).toMatchObject({ width: 2, height: 3 })
  })
  test('a picture for a page is as it is when small, smaller when large', async () => {
    expect(await imageDataUrl({ path: 'a.png' }, options)).toEqual({
      width: 3,
      height: 2,
      dataUrl: `data:image/png;base64,${png.toString('base64')}`,
    })
    const wide = await sharp({ create: { width: 2000, height: 500, channels: 3, background: 'red' } })
      .png()
      .toBuffer()
    const page = await imageDataUrl({ bytes: wide }, { maxSide: 100 })
    expect(page).toMatchObject({
      width: 2000,
      height: 500,
      dataUrl: expect.stringMatching(/^data:image\/jpeg/),
    })
    expect(await loadImage({ url: page.dataUrl })).toMatchObject({ width: 100, height: 25 })
  })
})

describe('refusing', () => {
  test('bombs, large files, truncated, damaged, unknown and forbidden formats', async () => {
    const huge = bomb(30_000)
    expect(huge.length).toBeLessThan(1000)
    expect(await codeOf(loadImage({ bytes: huge }))).toBe('too-large')
    expect(await codeOf(loadImage({ bytes: bomb(2000) }, { limits: { maxPixels: 1_000_000 } }))).toBe(
      'too-large',
    )
    expect(await codeOf(loadImage({ path: 'a.png' }, { ...options, limits: { maxBytes: 10 } }))).toBe(
      'too-large',
    )
    expect(await codeOf(loadImage({ bytes: png }, { limits: { maxBytes: 10 } }))).toBe('too-large')
    const photo = await sharp({
      create: {
        width: 400,
        height: 400,
        channels: 3,
        background: 'red',
        noise: { type: 'gaussian', mean: 128, sigma: 60 },
      },
    })
      .jpeg()
      .toBuffer()
    expect(await codeOf(loadImage({ bytes: photo.subarray(0, photo.length / 2) }))).toBe('broken-image')
    expect(await codeOf(loadImage({ bytes: png.subarray(0, png.length - 20) }))).toBe('broken-image')
    expect(await codeOf(imageDataUrl({ bytes: png.subarray(0, png.length - 20) }))).toBe('broken-image')
    expect(await codeOf(loadImage({ bytes: Buffer.from('\x89PNG\r\n\x1a\njunk', 'latin1') }))).toBe(
      'broken-image',
    )
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    expect(await codeOf(loadImage({ bytes: svg }))).toBe('unknown-image-format')
    expect(await codeOf(loadImage({ bytes: new Uint8Array() }))).toBe('unknown-image-format')
    expect(await codeOf(loadImage({ bytes: png }, { limits: { formats: ['jpeg'] } }))).toBe(
      'format-not-allowed',
    )
    expect(await codeOf(loadImage({ url: 'data:image/png' }))).toBe('bad-url')
  })
  test('paths may not leave their folder, by dots, links or from the root', async () => {
    for (const path of ['../outside.png', join(folder, 'outside.png'), 'link.png', '../data-elsewhere/a.png'])
      expect(await codeOf(loadImage({ path }, options)), path).toBe('outside')
    expect(await codeOf(loadImage({ path: 'link.png' }, { ...options, allowOutside: true }))).toBe('loaded')
    expect(await codeOf(loadImage({ path: join(inside, 'a.png') }, options))).toBe('loaded')
    for (const path of ['absent.png', '.', 'a\0.png'])
      expect(await codeOf(loadImage({ path }, options)), path).toBe('unreadable')
    expect(await codeOf(loadImage({ path: '/dev/zero' }, { allowOutside: true }))).toBe('unreadable')
    await expect(loadImage({ path: 'absent.png' }, options)).rejects.toThrow(
      /absent\.png: the image does not exist/,
    )
  })
})

describe('URLs', () => {
  test('are fetched only when allowed, and private networks only when that is said', async () => {
    const url = `${origin}/a.png`
    const before = asked
    expect(await codeOf(loadImage({ url }))).toBe('url-not-allowed')
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]'])
      expect(
        await codeOf(loadImage({ url: url.replace('127.0.0.1', host) }, { allowUrls: true })),
        host,
      ).toBe('private-address')
    expect(asked).toBe(before)
    expect(await codeOf(loadImage({ url }, { allowUrls: 'any' }))).toBe('loaded')
    for (const bad of ['ftp://x.org/a', 'file:///etc/passwd', 'http://user:pass@x.org/', 'nonsense'])
      expect(await codeOf(loadImage({ url: bad }, { allowUrls: 'any' })), bad).toBe('bad-url')
  })
  test('redirects are checked anew and bounded; so are size and time', async () => {
    const limits = { maxBytes: 1 << 20, timeoutMs: 2000, allows: () => true }
    expect(Buffer.from(await fetchBytes(`${origin}/hop`, limits))).toEqual(png)
    expect(await codeOf(fetchBytes(`${origin}/loop`, limits))).toBe('fetch-failed')
    expect(await codeOf(fetchBytes(`${origin}/file`, limits))).toBe('bad-url')
    expect(await codeOf(fetchBytes(`${origin}/absent`, limits))).toBe('fetch-failed')
    expect(await codeOf(fetchBytes(`${origin}/endless`, limits))).toBe('too-large')
    await expect(fetchBytes(`${origin}/silent`, { ...limits, timeoutMs: 150 })).rejects.toThrow(
      /within 150 ms/,
    )
  })
  test('the connection goes to the address that was checked, and every address is checked', async () => {
    const at = (...addresses: string[]) => {
      const resolve = async () => addresses.map((address) => ({ address, family: 4 }))
      return {
        maxBytes: 1000,
        timeoutMs: 2000,
        resolve,
        allows: (address: string) => address === '127.0.0.1',
      }
    }
    const url = `http://no-such-host.example:${new URL(origin).port}`
    expect(Buffer.from(await fetchBytes(`${url}/a.png`, at('127.0.0.1')))).toEqual(png)
    expect(await codeOf(fetchBytes(`${url}/away`, at('127.0.0.1')))).toBe('private-address')
    expect(await codeOf(fetchBytes(`${url}/a.png`, at('127.0.0.1', '10.0.0.1')))).toBe('private-address')
    expect(await codeOf(allowedAddressOf('nowhere.example', at()))).toBe('private-address')
  })
  test('which addresses are public', () => {
    for (const address of ['8.8.8.8', '172.32.0.1', '2606:4700::1111', '2a00:1450::1'])
      expect(isPublicAddress(address), address).toBe(true)
    for (const address of [
      ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.9.9.9', '169.254.169.254', '172.16.0.1', '192.168.1.1'],
      ...[
        '192.0.2.1',
        '198.18.0.1',
        '224.0.0.1',
        '255.255.255.255',
        '::',
        '::1',
        '::ffff:8.8.8.8',
        '::7f00:1',
      ],
      ...[
        'fe80::1%eth0',
        'fc00::1',
        'fd12::1',
        'ff02::1',
        '64:ff9b::a00:1',
        '2002:7f00:1::',
        '2001:db8::1',
        'x',
      ],
    ])
      expect(isPublicAddress(address), address).toBe(false)
  })
})

testOnData('photos', 'every photograph is read at the size its row says', async (data) => {
  for await (const { records } of readRecords(join(data, 'captions.jsonl')))
    for (const { file, width, height } of records)
      expect(await probeImage({ path: String(file) }, { baseDirectory: data })).toMatchObject({
        width,
        height,
      })
})

testOnData('bccd', 'micrographs are decoded', async (data) => {
  let rows = 0
  for await (const { records } of readRecords(join(data, 'instances.json'), { at: 'images' }))
    for (const { file_name, width, height } of records) {
      const source = { path: String(file_name) }
      expect(await probeImage(source, { baseDirectory: data })).toEqual({ width, height, format: 'jpeg' })
      if (rows++ % 40 > 0) continue
      const image = await loadImage(source, { baseDirectory: data })
      expect(image.data).toHaveLength(4 * Number(width) * Number(height))
      expect(image.data[3]).toBe(255)
    }
  expect(rows).toBe(182)
})
