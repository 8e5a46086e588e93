const paths = {
  start: 'M3 11l9-8 9 8M6 9v11h12V9',
  samples: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  votes: 'M12 3v18M5 8h5M14 8h5M5 12h5M14 12h5M5 16h5M14 16h5',
  audits: 'M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6zM9 12l2 2 4-4',
  training: 'M3 20h18M4 16l5-6 4 3 7-9',
  playground: 'M4 20l4-1L20 7l-3-3L5 16zM14 6l4 4',
  sun: 'M12 8a4 4 0 100 8 4 4 0 000-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5L19 19M19 5l-1.5 1.5M6.5 17.5L5 19',
  moon: 'M20 14.5A8 8 0 119.5 4a6.5 6.5 0 0010.5 10.5z',
  help: 'M9 9a3 3 0 115 2.2c-1.2.9-2 1.5-2 2.8M12 18v.1',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  search: 'M11 4a7 7 0 100 14 7 7 0 000-14zM16 16l5 5',
  left: 'M15 5l-7 7 7 7',
  right: 'M9 5l7 7-7 7',
  close: 'M5 5l14 14M19 5L5 19',
  plus: 'M12 5v14M5 12h14',
  check: 'M5 12l5 5 9-10',
  down: 'M12 4v12M7 12l5 5 5-5M4 20h16',
} as const

/** A small drawing beside a word; the word says what it is. */
export function Icon({ name, size = 18 }: { readonly name: keyof typeof paths; readonly size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  )
}

export function Logo() {
  return (
    <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#3557d5" />
      <path
        d="M22.5 11.6A8 8 0 1 0 24 16h-7"
        fill="none"
        stroke="#fff"
        strokeWidth="3.2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  )
}
