import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { listPublicNames } from '../../scripts/check/documented.mjs'

const SOURCE = `
/** Documented. */
export interface Options {
  /** Documented. */
  readonly first: string
  readonly bare: number
  /** Documented. */
  readonly inner: { readonly bareToo: string }
}
/** Documented. */
export type Event = { readonly type: 'a' } | { readonly type: 'b'; readonly bareValue: string }
/** Documented. */
export class Client {
  #hidden = 1
  private alsoHidden = 2
  bareMethod(): number { return this.#hidden + this.alsoHidden }
}
export const bareConstant = 1
interface NotExported { readonly bare: string }
export { documentedElsewhere } from './other.js'
`

test('public names and members without a docstring are listed, discriminants and private members are not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'documented-'))
  try {
    await writeFile(join(folder, 'index.ts'), SOURCE)
    await writeFile(join(folder, 'other.ts'), '/** Documented. */\nexport function documentedElsewhere(): void {}\n')
    const names = listPublicNames([join(folder, 'index.ts')])

    expect(names.filter(({ isDocumented }) => !isDocumented).map(({ name }) => name)).toEqual([
      'Options.bare',
      'Options.inner.bareToo',
      'Event.bareValue',
      'Client.bareMethod',
      'bareConstant',
    ])
    expect(names.filter(({ isDocumented }) => isDocumented)).toHaveLength(6)
  } finally {
    await rm(folder, { recursive: true })
  }
})
