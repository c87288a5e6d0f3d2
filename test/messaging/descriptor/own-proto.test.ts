import { readFileSync } from 'node:fs'
import type { MessageTypeDefinition } from '@grpc/proto-loader'
import { expect, test } from '@jest/globals'
import { loadDescriptor, ownFiles } from '../../../src/messaging/descriptor/descriptor.js'
import { METHODS, type MethodName } from '../../../src/messaging/wire/rpcs.js'
import { loader, OWN_PROTO } from '../support/fake-pcs.js'

test('the generated descriptor matches proto/ (if not, run: node scripts/own-proto.mjs)', () => {
  const definition = loader.loadSync(OWN_PROTO, { keepCase: true, longs: String, enums: String })
  const type = Object.values(definition).find((entry) => 'fileDescriptorProtos' in entry)
  const files = (type as MessageTypeDefinition<object, object>).fileDescriptorProtos
  expect(ownFiles().map((file) => file.toString('hex'))).toEqual(files.map((file) => file.toString('hex')))
})

test('the .proto file given as the descriptor works like the built-in one', () => {
  const own = loadDescriptor(undefined, '/ext')
  const given = loadDescriptor(OWN_PROTO, '/ext')
  for (const name of Object.keys(METHODS) as MethodName[]) {
    const request = Object.fromEntries(METHODS[name].sends.slice(0, 1).map((field) => [field, 'x']))
    expect(own.method(name).path).toBe(given.method(name).path)
    expect(own.method(name).serialize(request)).toEqual(given.method(name).serialize(request))
  }
  expect(own.struct).toEqual(given.struct)
  expect(readFileSync(OWN_PROTO, 'utf8')).toContain('package chat.external;')
})
