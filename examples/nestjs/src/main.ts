import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { AppModule } from './app.module.js'
import { auth, port } from './auth.js'

const app = await NestFactory.create(AppModule)
app.use(auth)
app.enableShutdownHooks()
await app.listen(port)
console.log(`http://localhost:${port}/account`)
