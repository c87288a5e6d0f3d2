import { expect, test } from '@jest/globals'
import { maskSource } from '../../../src/cli/init/mask-source.js'

test.each([
  ["a('x)')", "a('  ')"],
  ['a("\\")") // ) {', 'a("   ")       '],
  ['/* ( */ b', '        b'],
  [`x = \`(\${ f({ a: "}" }) }(\``, 'x = `  { f({ a: " " }) } `'],
  [`\`\${\`\${"}"}\`}\``, '` {` {" "}`}`'],
  ['a = /[/)]\\/(/g; b', 'a = /       /g; b'],
  ['a = b / c / (d)', 'a = b / c / (d)'],
  ['return /)/', 'return / /'],
  ["'no end\nb)", "'      \nb)"],
])('what is in texts of %s is blank', (source, masked) => {
  expect(maskSource(source)).toBe(masked)
  expect(maskSource(source).length).toBe(source.length)
})
