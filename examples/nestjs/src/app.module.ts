import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type OnApplicationShutdown,
  Req,
} from '@nestjs/common'
import type { Request, Response } from 'express'
import { PpoppoError } from 'express-ppoppo'
import { auth } from './auth.js'

@Controller()
class AccountController {
  /** Guarded below. */
  @Get('account')
  account(@Req() req: Request) {
    return req.ppoppo.user
  }

  /** Not guarded: throws if nobody is signed in. */
  @Get('mine')
  mine(@Req() req: Request) {
    return req.ppoppo.userinfo()
  }
}

/** Answers with the status and code of the library's errors; without it Nest answers 500. */
@Catch(PpoppoError)
export class PpoppoErrorFilter implements ExceptionFilter {
  catch({ status, code, docsUrl }: PpoppoError, host: ArgumentsHost) {
    const res = host.switchToHttp().getResponse<Response>()
    res
      .status(status)
      .type('application/problem+json')
      .send(JSON.stringify({ type: docsUrl, status, code }))
  }
}

@Module({ controllers: [AccountController] })
export class AppModule implements NestModule, OnApplicationShutdown {
  configure(consumer: MiddlewareConsumer) {
    consumer.apply(auth.requireSignIn()).forRoutes('account')
  }

  onApplicationShutdown() {
    return auth.close()
  }
}
