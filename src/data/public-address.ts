import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { BlockList, isIP, isIPv6 } from 'node:net'
import { GuerdonError } from '../core/index.ts'

/** Everything that is not the public internet: private, loopback, link-local (cloud metadata), multicast, reserved. */
const reservedIpv4 = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  reservedIpv4.addSubnet(network, prefix, 'ipv4')
const reservedIpv6 = new BlockList() // a list of its own: IPv4 addresses match rules for IPv6 as mapped ones
// Only 2000::/3 is the public internet of IPv6; inside it, documentation and the tunnels that carry IPv4 addresses.
for (const [network, prefix] of [
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  reservedIpv6.addSubnet(network, prefix, 'ipv6')

/** Whether an IP address is on the public internet; IPv4 mapped into IPv6 is never. */
export function isPublicAddress(address: string): boolean {
  const bare = address.replace(/%.*$/, '')
  if (isIP(bare) === 0) return false
  return isIPv6(bare) ? !reservedIpv6.check(bare, 'ipv6') : !reservedIpv4.check(bare, 'ipv4')
}

/** How a host's addresses are found and judged. */
export interface AddressRules {
  /** Which addresses may be connected to. */
  readonly allows: (address: string) => boolean
  /** @default the system's resolver */
  readonly resolve?: ((host: string) => Promise<LookupAddress[]>) | undefined
}

/**
 * The address to connect to for a host name: looked up once, so that a second answer cannot differ from the one
 * that was checked. Throws a `GuerdonError` when any of its addresses is not allowed.
 */
export async function allowedAddressOf(
  hostname: string,
  { allows, resolve = lookupAll }: AddressRules,
): Promise<LookupAddress> {
  const host = hostname.replace(/^\[|\]$/g, '')
  const addresses = isIP(host) ? [{ address: host, family: isIP(host) }] : await resolve(host)
  const [first] = addresses
  const refused = addresses.find(({ address }) => !allows(address))
  if (!first || refused)
    throw new GuerdonError(
      'private-address',
      `the host "${host}" ${refused ? `is ${refused.address}, which is not a public address` : 'has no address'}.`,
      { fix: "Images of private networks are fetched only with allowUrls: 'any'." },
    )
  return first
}

const lookupAll = (host: string) => lookup(host, { all: true, verbatim: true })
