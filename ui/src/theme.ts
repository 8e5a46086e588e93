import { createTheme, type MantineColorsTuple } from '@mantine/core'

const indigo: MantineColorsTuple = [
  '#eef2ff',
  '#dde4fb',
  '#b8c6f4',
  '#8fa6ee',
  '#6f8ae8',
  '#4f6fe0',
  '#3557d5',
  '#2b48b6',
  '#243d98',
  '#1b2f78',
]

const dark: MantineColorsTuple = [
  '#e8e9ee',
  '#c3c6d1',
  '#a9aebb',
  '#7d8392',
  '#3a4050',
  '#333845',
  '#23272f',
  '#1d2027',
  '#15171c',
  '#0f1115',
]

export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: 6,
  colors: { indigo, dark },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  defaultRadius: 'md',
  headings: {
    fontWeight: '650',
    sizes: { h1: { fontSize: '1.45rem' }, h2: { fontSize: '1.1rem' }, h3: { fontSize: '0.95rem' } },
  },
  cursorType: 'pointer',
  respectReducedMotion: true,
})
