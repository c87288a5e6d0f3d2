/** Vars by the schema of a template. Never run: `tsc` is the test. */
import {
  type DefinedTemplate,
  defineTemplate,
  type Messaging,
  type RequestPpoppo,
  type StandardSchema,
} from 'express-ppoppo'

declare const messaging: Messaging
declare const ppoppo: RequestPpoppo
/** As Zod makes one of `z.object({ order: z.string(), note: z.string().optional() })`. */
declare const schema: StandardSchema<
  { order: string; note?: string | undefined },
  { order: string; note?: string | undefined }
>
declare const dates: StandardSchema<{ on: Date }, { on: Date }>

export const template: DefinedTemplate<{ order: string; note?: string | undefined }> = defineTemplate({
  id: 'tpl_1',
  vars: schema,
})
// @ts-expect-error a Date cannot be sent: transform it to text
defineTemplate({ id: 'tpl_1', vars: dates })
// @ts-expect-error no schema
defineTemplate({ id: 'tpl_1', vars: {} })

const ppnum = '12312345678'
void messaging.send({ template, recipients: [{ ppnum, vars: { order: '1' } }] })
void messaging.sendMany({ template, recipients: [{ ppnum, vars: { order: '1', note: 'x' } }] })
void ppoppo.messaging.sendToUser({ template, vars: { order: '1' } })
void messaging.send({ templateId: 'tpl_1', recipients: [{ ppnum, vars: { anything: 1 } }] })
// @ts-expect-error a wrong type
void messaging.send({ template, recipients: [{ ppnum, vars: { order: 1 } }] })
// @ts-expect-error a missing value
void messaging.send({ template, recipients: [{ ppnum, vars: {} }] })
// @ts-expect-error no vars at all
void messaging.send({ template, recipients: [{ ppnum }] })
// @ts-expect-error a value that the schema does not know
void messaging.send({ template, recipients: [{ ppnum, vars: { order: '1', other: 1 } }] })
// @ts-expect-error the same for a single person
void ppoppo.messaging.sendToUser({ template, vars: { order: 1 } })
// @ts-expect-error one of the two
void messaging.send({ template, templateId: 'tpl_1', recipients: [{ ppnum, vars: { order: '1' } }] })
