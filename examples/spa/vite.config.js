import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// `npm run dev`: the browser asks Vite alone, which passes on what is Express's. So there is one origin, and the cookie works.
const server = `http://localhost:${process.env.PORT ?? 3000}`

export default defineConfig({
  plugins: [react()],
  server: { strictPort: true, proxy: { '/auth': server, '/api': server } },
})
