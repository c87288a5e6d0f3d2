import { Router } from 'express'
import type { Views } from '../views.js'

/** The front page: for everybody, and it knows who is looking. */
export function homeRoutes(views: Views): Router {
  const router = Router()
  router.get('/', (req, res) => views.send(req, res, 'home', {}))
  return router
}
