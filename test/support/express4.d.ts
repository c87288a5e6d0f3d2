/** The alias of Express 4: the types of 5 fit all that the tests use. */
declare module 'express4' {
  import express from 'express'
  export default express
}
