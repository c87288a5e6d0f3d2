import { expect, test } from '@jest/globals'
import { programsOf, syntaxFaultsOf, withGivenNames } from '../../scripts/check/doc-programs.mjs'

test('programs of a document are its ts blocks, in lists too', () => {
  const text = '```ts\nfirst\n```\n\n- item\n\n  ```ts\n  second\n  ```\n\n```js\nnot()\n```\n'
  expect(programsOf(text)).toEqual(['first\n', '  second\n'])
})

test('a fragment of the README is given the names of the app around it, and none that it declares', () => {
  const fragment = "app.get('/users', auth.requireSignIn())"
  expect(withGivenNames(fragment)).toMatch(/^declare const app: .*\ndeclare const auth: .*\napp\.get/)
  const whole = 'const app = express()\napp.use(auth)'
  expect(withGivenNames(whole)).toMatch(/^declare const auth: .*\nconst app/)
})

test('a script that cannot be read is named, with the place', async () => {
  const scripts = [
    { name: 'examples/good.js', language: 'js', text: 'export const a = await 1' },
    { name: 'examples/bad.js', language: 'js', text: 'const a =\n' },
    { name: 'docs/typed.md, js block 1', language: 'js', text: 'const a: number = 1' },
    { name: 'examples/view.jsx', language: 'jsx', text: '<App' },
  ] as const
  const faults = await syntaxFaultsOf(scripts)
  expect(faults.map((fault) => /\n(.+?):\d+:\d+/.exec(fault)?.[1])).toEqual([
    'examples/bad.js',
    'docs/typed.md, js block 1',
    'examples/view.jsx',
  ])
})
