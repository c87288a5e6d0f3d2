import { describe, expect, test } from '@jest/globals'
import { createKnownTemplates, placeholdersOf } from '../../../src/messaging/wire/placeholders.js'
import { parseSendRequest } from '../../../src/messaging/wire/validate.js'
import { parseTemplateRequest } from '../../../src/messaging/wire/validate-template.js'

const to = (ppnum: number | string, vars?: unknown): object => ({ ppnum: String(ppnum), ...(vars ? { vars } : {}) })
const sendOf = (vars: unknown): object => ({
  templateId: 'tpl_1',
  recipients: [to(12345678901), to(12345678902, vars)],
})

const cycle: Record<string, unknown> = { list: [] }
cycle['list'] = [{ back: cycle }]
const deep: unknown = Array.from({ length: 40 }).reduce((inner) => ({ inner }), 'x')

describe('validation of a send', () => {
  test.each([
    [null, /The request must be an object/],
    [{ templateId: 'tpl_1', recipient: [] }, /"recipient" is not known; did you mean "recipients"\?/],
    [{ recipients: [to(12345678901)] }, /"templateId"/],
    [{ templateId: 'tpl_1' }, /"recipients" must be a list/],
    [{ templateId: 'tpl_1', recipients: [] }, /"recipients" is empty/],
    [{ templateId: 'tpl_1', recipients: [{ ppnum: 12345678901 }] }, /"recipients\[0\]\.ppnum"/],
    [{ templateId: 'tpl_1', recipients: [to('123-1234-5678')] }, /parsePpnum\(\)/],
    [{ templateId: 'tpl_1', recipients: [to(1234567890)] }, /11 or more digits/],
    [{ templateId: 'tpl_1', recipients: [{ ppnum: '12345678901', var: {} }] }, /did you mean "recipients\[0\]\.vars"/],
    [{ templateId: 'tpl_1', recipients: [to(12345678901)], poll: { expiresInHours: 0.5 } }, /"poll\.expiresInHours"/],
    [{ templateId: 'tpl_1', recipients: [to(12345678901)], poll: { allowMultiple: 1 } }, /"poll\.allowMultiple"/],
  ])('rejects %j', (request, message) => {
    expect(() => parseSendRequest(request)).toThrow(
      expect.objectContaining({ code: 'request_invalid', message: expect.stringMatching(message) }),
    )
  })

  test.each([
    ['a date', { at: new Date(0) }, '.at" is a Date; pass a string'],
    ['a function', { f: () => 1 }, '.f" is a function'],
    ['nothing', { a: { b: undefined } }, '.a.b" is undefined'],
    ['a hole', { list: [1, undefined] }, '.list[1]" is undefined'],
    ['NaN', { n: Number.NaN }, '.n" is NaN'],
    ['infinity', { n: [Number.NEGATIVE_INFINITY] }, '.n[0]" is NaN or infinite'],
    ['a bigint', { n: 1n }, '.n" is a bigint'],
    ['a cycle', cycle, '.list[0].back" contains itself'],
    ['too deep', { deep }, 'nested deeper than 30 levels'],
    ['an instance', { address: { zip: new Map() } }, '.address.zip" is an instance of a class'],
    ['bytes', { b: Buffer.from('x') }, '.b" is an instance'],
    ['a prototype', JSON.parse('{"__proto__":{"a":1}}'), '.__proto__" is not allowed as a name'],
    ['half a character', { text: 'a\ud800b' }, '.text" contains half a character'],
    ['a list for vars', ['a'], 'must be an object'],
  ])('rejects vars with %s, naming the path', (_what, vars, message) => {
    const path = message.startsWith('.') ? `"recipients[1].vars${message}` : message
    expect(() => parseSendRequest(sendOf(vars))).toThrow(
      expect.objectContaining({ code: 'request_invalid', message: expect.stringContaining(path) }),
    )
  })

  test('accepts vars that contain the same object twice without a cycle', () => {
    const shared = { a: 1 }
    expect(() =>
      parseSendRequest(sendOf({ one: shared, two: [shared, shared], of: Object.create(null) })),
    ).not.toThrow()
  })

  test('keeps the first recipient of each ppnum, and then accepts at most 1,000', () => {
    const twice = [to(12345678901, { n: 1 }), to(12345678902), to(12345678901, { n: 2 })]
    expect(parseSendRequest({ templateId: 'tpl_1', recipients: twice }).recipients).toEqual(twice.slice(0, 2))
    const many = Array.from({ length: 1_001 }, (_, index) => to(10_000_000_000 + index))
    const repeated = [...many.slice(0, 1_000), ...many.slice(0, 500)]
    expect(parseSendRequest({ templateId: 'tpl_1', recipients: repeated }).recipients).toHaveLength(1_000)
    expect(() => parseSendRequest({ templateId: 'tpl_1', recipients: many })).toThrow('the maximum is 1,000')
  })
})

describe('validation of a template', () => {
  const text = { type: 'text', content: 'Hi {{name}}' }
  test.each([
    [{ name: '', components: [text] }, /"name"/],
    [{ name: 'a', components: [] }, /"components"/],
    [{ name: 'a', components: [{ type: 'txt' }] }, /"components\[0\]\.type" must be one of text, divider/],
    [{ name: 'a', components: [{ type: 'text' }] }, /"components\[0\]\.content"/],
    [{ name: 'a', components: [{ type: 'divider', content: 'x' }] }, /"components\[0\]\.content" is not known/],
    [{ name: 'a', components: [{ type: 'button', label: 'x' }] }, /"components\[0\]\.url"/],
    [{ name: 'a', components: [{ type: 'button', label: 'x', url: '/x' }] }, /must be a full URL/],
    [{ name: 'a', components: [{ type: 'button', label: 'x', url: 'javascript:1' }] }, /must be a full URL/],
    ...[
      ' javascript:alert(1)',
      '\u0001javascript:alert(1)',
      'java\nscript:alert(1)',
      'JAVASCRIPT:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      'blob:https://app.example/x',
      'file:///etc/passwd',
      'mailto:a@app.example',
      'tel:123',
      'ftp://app.example/',
      '//app.example/',
      'https://',
      'https:// app.example',
      'https:app.example',
      'https:/app.example',
      'https:\\\\app.example',
      'ht\ttps://app.example',
      '\u0001https://app.example/',
      'https://app.example/\u202e3pm',
      'https://ppoppo.com@app.example/',
      'https://a:b@app.example/',
      'https://{host}/',
      'https://%7B%7Bhost%7D%7D/',
    ].map((url): [object, RegExp] => [
      { name: 'a', components: [{ type: 'button', label: 'x', url }] },
      /"components\[0\]\.url" must be a full URL, https or http, such as/,
    ]),
    ...[
      '{{url}}',
      '{{scheme}}://app.example/',
      'http{{s}}://app.example/',
      'javascript:{{code}}',
      'https://{{host}}/x',
      'https://{{sub}}.app.example/',
      'https://app.{{domain}}/',
      'https://app.example{{path}}',
      'https://app.example:{{port}}/',
      'https://app.example:80{{port}}/',
      'https://{{user}}@app.example/',
      'https://a:{{password}}@app.example/',
      'https:{{x}}//app.example/',
      'https:/{{x}}/y',
      'https:\\\\{{x}}',
    ].map((url): [object, RegExp] => [
      { name: 'a', components: [{ type: 'image', url }] },
      /"components\[0\]\.url" must be a full URL, https or http, whose placeholders come after the host/,
    ]),
    [{ name: 'a', components: [{ type: 'poll', question: 'q', options: ['a'] }] }, /two or more strings/],
    [{ name: 'a', components: [{ type: 'poll', question: 'q', options: ['a', 'a'] }] }, /options\[1\]" occurs/],
    [
      { name: 'a', components: [text, { type: 'text', content: 'Hi {{na me}}' }] },
      /"components\[1\]\.content" has braces/,
    ],
    [{ name: 'a', components: [{ type: 'text', content: 'Hi {{name' }] }, /braces/],
  ])('rejects %j', (request, message) => {
    expect(() => parseTemplateRequest(request)).toThrow(
      expect.objectContaining({ code: 'request_invalid', message: expect.stringMatching(message) }),
    )
  })

  test.each([
    'https://app.example/{{id}}',
    'https://app.example/?q={{ q }}&r={{r}}#{{s}}',
    'https://app.example?{{q}}',
    'http://app.example:8080/a/{{b.c}}/d',
    ' https://app.example/ ',
    'HTTPS://app.example',
    'https://가게.example/{{이름}}',
  ])('accepts the URL %j unchanged', (url) => {
    const components = [{ type: 'button', label: 'Go', url }]
    expect(parseTemplateRequest({ name: 'a', components })).toEqual({ name: 'a', components })
  })

  test.each([
    ['Thai', 'ชื่อ'],
    ['Hindi', 'नाम_हिन्दी'],
    ['Hindi with a joiner', 'क्\u200dष'],
    ['Vietnamese, decomposed', 'tên'.normalize('NFD')],
    ['Korean, decomposed', '이름.성'.normalize('NFD')],
  ])('accepts placeholders in %s, and matches a name however it is typed', (_, name) => {
    const [one, other] = [name.normalize('NFC'), name.normalize('NFD')]
    expect(placeholdersOf(`{{${other}}} {{ ${one} }}`)).toEqual([one, one])
    const components = [{ type: 'text', content: `e\u0301 {{${other}}}` }]
    // What is no placeholder is left as it was typed.
    expect(parseTemplateRequest({ name: 'a', components }).components).toEqual([
      { type: 'text', content: `e\u0301 {{${one}}}` },
    ])
    const known = createKnownTemplates()
    known.remember('tpl_1', [{ type: 'text', content: `{{${other}}}` }])
    const nested = (of: string): object =>
      of.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), 'x') as object
    for (const spelling of [one, other]) {
      const vars = nested(spelling) as { [name: string]: string }
      // Also of a template that another process has created.
      for (const id of ['tpl_1', 'tpl_2'])
        expect(known.check(id, [{ ppnum: '1', vars }])).toEqual([{ ppnum: '1', vars: nested(one) }])
    }
    expect(() => known.check('tpl_1', [{ ppnum: '1', vars: { other: 'x' } }])).toThrow(`lacks "${one}"`)
  })

  test.each(['{{\u0e35x}}', '{{a b}}', '{{1}}', '{{-a}}', '{{a\u200b}}'])('rejects the placeholder %j', (content) => {
    expect(placeholdersOf(content)).toBeUndefined()
  })

  test('rejects vars with one name typed in two ways', () => {
    const known = createKnownTemplates()
    known.remember('tpl_1', [{ type: 'text', content: '{{é}}' }])
    const vars = { ['é'.normalize('NFC')]: '1', ['é'.normalize('NFD')]: '2' }
    expect(() => known.check('tpl_1', [{ ppnum: '1', vars }])).toThrow('"recipients[0].vars" has a name twice')
  })

  test('accepts every type of component unchanged', () => {
    const components = [
      text,
      { type: 'divider' },
      { type: 'button', label: 'Go', url: 'https://app.example/{{id}}' },
      { type: 'image', url: 'https://app.example/a.png' },
      { type: 'image', url: 'https://app.example/a.png', alt: 'A' },
      { type: 'poll', question: 'Well?', options: ['Yes', 'No'] },
    ]
    expect(parseTemplateRequest({ name: 'all', components })).toEqual({ name: 'all', components })
  })

  test('checks the vars of a send against a template created by this process', () => {
    expect(placeholdersOf('{{a}} {b} {{ c.d }}')).toEqual(['a', 'c.d'])
    const known = createKnownTemplates()
    known.remember('tpl_1', [{ type: 'text', content: '{{name}} {{address.zip}}' }])
    const ok = { name: 'Alex', address: { zip: '1' } }
    const check = (vars: object): unknown =>
      known.check('tpl_1', [
        { ppnum: '1', vars: ok },
        { ppnum: '2', vars: { ...vars } },
      ])
    expect(() => check(ok)).not.toThrow()
    expect(() => check({ name: 'Alex', 'address.zip': '1' })).not.toThrow()
    expect(() => check({ name: 'Alex' })).toThrow('"recipients[1].vars" lacks "address.zip": template tpl_1')
    expect(() => known.check('tpl_other', [{ ppnum: '1' }])).not.toThrow()
  })
})
