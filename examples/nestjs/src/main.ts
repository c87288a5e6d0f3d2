import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { AppModule, PpoppoErrorFilter } from './app.module.js'
import { auth, port } from './auth.js'

const app = await NestFactory.create(AppModule)
app.use(auth)
app.useGlobalFilters(new PpoppoErrorFilter())
app.enableShutdownHooks()
await app.listen(port)
console.log(`http://localhost:${port}/account`)
