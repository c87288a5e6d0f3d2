// A sign-out in another tab shows here, too, and so does another person's sign-in. Not by a reload: on a guarded page that
// would begin a new sign-in.
import { subscribe } from '/auth/client.js'

let before
subscribe(({ status, user }) => {
  const now = user?.sub ?? status
  if (before !== undefined && now !== before) location.replace(status === 'signed-out' ? '/?notice=signed-out' : '/')
  before = now
})
