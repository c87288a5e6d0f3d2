/** The public names: Sign in with Ppoppo for Express, and the Messaging API. */

export type { PpoppoEvent, PpoppoEventDetail, RefusalReason, SignOutReason, WarningCode } from './audit-events.js'
export type { SignInButtonOptions } from './button/button.js'
export type { AuthorizationParams } from './config/authorization-params.js'
export type { MessagingOptions } from './config/messaging-options.js'
export type { PpoppoOptions, PpoppoUser, SessionOptions } from './config/options.js'
export type { FindingCode, FindingLevel } from './doctor/catalogue.js'
export type { DiagnoseOptions, Diagnosis, Finding } from './doctor/types.js'
export {
  ERROR_CATALOGUE,
  type ErrorCatalogueEntry,
  isPpoppoError,
  PpoppoError,
  type PpoppoErrorCode,
  type PpoppoErrorOptions,
} from './errors.js'
export type { FetchAnswer, FetchRequest, PpoppoFetch } from './lib/http.js'
export type { LoginWishes } from './login-link/login-params.js'
export type * from './messaging/types/consumer.js'
export type * from './messaging/types/events.js'
export type * from './messaging/types/methods.js'
export { defineTemplate } from './messaging/wire/defined-template.js'
export type { Health, ServiceHealth } from './observability/health.js'
export { type EventLogger, pinoEvents } from './observability/pino.js'
export type { PageKind, PageLabels, PageText, PageTexts } from './pages/text-types.js'
export { formatPpnum, parsePpnum } from './ppnum.js'
export { ppoppo } from './ppoppo.js'
export type { Ppoppo, PpoppoSetup } from './ppoppo-types.js'
export type { UserInfo } from './provider/profile.js'
export type { ReadyOptions } from './ready/ready.js'
export type {
  CurrentSignIn,
  PpoppoRegister,
  RegisteredAccount,
  RequestMessaging,
  RequestPpoppo,
  SignedInPpoppo,
  SignInStatus,
  SignInSummary,
  StoredAccount,
  TemplateUserSend,
  UserSend,
} from './request-types.js'
export type { ErrorAnswer } from './sign-in/error-answer.js'
export type { ErrorContext, ErrorHandlerOptions } from './sign-in/error-handler.js'
export type { RequireSignInOptions, SignInDenial } from './sign-in/guard-options.js'
export { denySignIn } from './sign-in/on-sign-in.js'
export type { RefusedVisitor, SignedInVisitor, SocketVisitor, UpgradeOptions } from './sockets/types.js'
