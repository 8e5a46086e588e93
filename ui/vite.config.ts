import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// The page is served from any path (behind a proxy, or below a secret), so that its own addresses are relative.
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [react()],
  build: {
    outDir: '../dist/ui',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    assetsInlineLimit: 0,
  },
})
