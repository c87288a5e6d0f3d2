import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { maskSource } from './mask-source.js'

/** A development server of Vite that stands between the browser and Express. */
export interface ViteServer {
  /** Its configuration. */
  readonly file: string
  /** The port that the browser asks. */
  readonly port: number
  /** Whether it passes `/auth` on to Express. */
  readonly hasAuth: boolean
}

/** All that Vite takes, in its order. */
const FILES = ['js', 'mjs', 'ts', 'cjs', 'mts', 'cts'].map((extension) => `vite.config.${extension}`)
const DEFAULT_PORT = 5173

/** Looks for one. Without `proxy`, Vite only builds, or runs inside of Express. */
export function findVite(folder: string): ViteServer | undefined {
  const file = FILES.find((name) => existsSync(join(folder, name)))
  if (file === undefined) return undefined
  const source = readFileSync(join(folder, file), 'utf8')
  const masked = maskSource(source)
  if (!/\bproxy\s*:/.test(masked)) return undefined
  const port = /\bport\s*:\s*(\d{2,5})\b/.exec(masked)?.[1]
  return { file, port: Number(port ?? DEFAULT_PORT), hasAuth: /['"`]\^?\/auth\b/.test(source) }
}
