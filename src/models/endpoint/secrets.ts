/** Text without a key that an endpoint may have repeated in what it said, and without credentials in addresses. */
export function withoutKey(text: string, key: string | undefined): string {
  const hidden = key === undefined || key.length < 4 ? text : text.replaceAll(key, '[key]')
  return hidden.replace(/(https?:\/\/)[^/\s@]+@/gi, '$1').replace(/\b(sk|pk|key)-[\w-]{8,}/g, '[key]')
}

/** An address for names, stores and messages: without user, password, query and fragment. */
export function plainAddress(address: string | URL): string {
  const url = new URL(address)
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`
}
