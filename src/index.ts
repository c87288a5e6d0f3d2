/** Sign in with Ppoppo for Express, and the Messaging API behind it: the public names. */

export type { AuthorizationParams } from './authorization-params.js'
export {
  ERROR_CATALOGUE,
  type ErrorCatalogueEntry,
  isPpoppoError,
  PpoppoError,
  type PpoppoErrorCode,
  type PpoppoErrorOptions,
} from './errors.js'
export type { PpoppoEvent, PpoppoEventDetail, RefusalReason, SignOutReason, WarningCode } from './events.js'
export type { FetchAnswer, FetchRequest, PpoppoFetch } from './lib/http.js'
export type * from './messaging/consumer-types.js'
export type * from './messaging/event-types.js'
export type { MessagingOptions } from './messaging/options.js'
export type * from './messaging/types.js'
export type { PpoppoOptions, PpoppoUser, SessionOptions } from './options.js'
export { formatPpnum, parsePpnum } from './ppnum.js'
export { type Ppoppo, ppoppo } from './ppoppo.js'
export type { UserInfo } from './provider/profile.js'
export type { ReadyOptions } from './ready.js'
export type {
  CurrentSignIn,
  RequestMessaging,
  RequestPpoppo,
  SignInStatus,
  SignInSummary,
  UserSend,
} from './request-types.js'
export { denySignIn } from './sign-in/ask-app.js'
export type { SignInButtonOptions } from './sign-in/button.js'
export type { RequireSignInOptions } from './sign-in/guard.js'
export type { LoginWishes } from './sign-in/login-params.js'
export type { PageKind, PageLabels, PageText, PageTexts } from './sign-in/texts.js'
