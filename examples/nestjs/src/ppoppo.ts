import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
  SetMetadata,
} from '@nestjs/common'
import { BaseExceptionFilter, Reflector } from '@nestjs/core'
import type { Request, Response } from 'express'
import { PpoppoError } from 'express-ppoppo'
import { auth } from './auth.js'

const PUBLIC = 'ppoppo:public'
const requireSignIn = auth.requireSignIn()
const answerError = auth.errorHandler()

/** Everybody may use the route, or all routes of the controller. */
export const Public = () => SetMetadata(PUBLIC, true)

/** `@Person() person: PpoppoUser`: who is signed in. */
export const Person = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<Request>().ppoppo.user,
)

/**
 * Lets signed-in people through. Others get what `requireSignIn()` answers: the sign-in and back, or 401. Then the response has
 * been sent, and Nest waits for nothing more.
 */
@Injectable()
export class SignedInGuard implements CanActivate {
  // Named for tools that leave out the types of parameters: swc, esbuild, Vitest.
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (this.reflector.getAllAndOverride<boolean>(PUBLIC, [context.getHandler(), context.getClass()])) return true
    const http = context.switchToHttp()
    return new Promise((resolve, reject) => {
      const next = (error?: unknown) =>
        error === undefined
          ? resolve(true)
          : reject(error instanceof Error ? error : new Error('The guard failed', { cause: error }))
      requireSignIn(http.getRequest<Request>(), http.getResponse<Response>(), next)
    })
  }
}

/** Answers with the status and code of the library's errors; without it Nest answers 500. */
@Catch(PpoppoError)
export class PpoppoErrorFilter extends BaseExceptionFilter {
  override catch(error: PpoppoError, host: ArgumentsHost) {
    const http = host.switchToHttp()
    // What is left is a mistake in the app, such as `config_invalid`: Nest logs it, and answers 500.
    const next = (other?: unknown) => super.catch(other, host)
    answerError(error, http.getRequest<Request>(), http.getResponse<Response>(), next)
  }
}
