/**
 * Text without the keys that an endpoint may have repeated in what it said: the values of environment variables that
 * are named as keys, words of the usual form of keys, and credentials in addresses.
 */
export function withoutKeys(text: string): string {
  let plain = text
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && value.length >= 8 && /KEY|TOKEN|SECRET|PASSWORD/i.test(name))
      plain = plain.replaceAll(value, '[key]')
  return plain
    .replace(/(https?:\/\/)[^/\s@]+@/gi, '$1')
    .replace(/\b(?:sk|pk|key|hf|gsk|xai)[-_][\w-]{8,}/g, '[key]')
    .replace(/\b(Bearer|Basic) [\w.~+/=-]{8,}/gi, '$1 [key]')
}

/** An address for names, stores and messages: without user, password, query and fragment. */
export function plainAddress(address: string | URL): string {
  const url = new URL(address)
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`
}
