import type { ReactNode } from 'react'

/** What somebody said, as it was written; long texts scroll, by keyboard too. */
export function Said({ children, most }: { readonly children: ReactNode; readonly most?: number }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no pointer scrolls it by arrow keys
    <pre className="said" tabIndex={0} style={most === undefined ? undefined : { maxHeight: most }}>
      {children}
    </pre>
  )
}
