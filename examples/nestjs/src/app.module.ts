import { Controller, Get, Module, type OnApplicationShutdown, Req } from '@nestjs/common'
import { APP_FILTER, APP_GUARD } from '@nestjs/core'
import type { Request } from 'express'
import type { PpoppoUser } from 'express-ppoppo'
import { auth } from './auth.js'
import { Person, PpoppoErrorFilter, Public, SignedInGuard } from './ppoppo.js'

@Controller()
class AccountController {
  @Get('account')
  account(@Person() person: PpoppoUser) {
    return person
  }

  /** Throws if nobody is signed in. */
  @Public()
  @Get('mine')
  mine(@Req() req: Request) {
    return req.ppoppo.userinfo()
  }
}

@Module({
  controllers: [AccountController],
  providers: [
    { provide: APP_GUARD, useClass: SignedInGuard },
    { provide: APP_FILTER, useClass: PpoppoErrorFilter },
  ],
})
export class AppModule implements OnApplicationShutdown {
  onApplicationShutdown() {
    return auth.close()
  }
}
