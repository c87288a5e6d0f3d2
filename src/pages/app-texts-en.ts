import type { AppPageKind, PageText } from './text-types.js'

/** The pages that answer requests to the app's own routes: guards and errors. */
export const appPagesEn: Readonly<Record<AppPageKind, PageText>> = {
  sign_in_again: {
    title: 'Please sign in again',
    what: 'For your safety, please sign in again to continue. If you sent a form, it was not saved.',
    todo: 'After you sign in, you will come back to this site.',
    action: 'Sign in',
  },
  forbidden: {
    title: 'You do not have access to this page',
    what: 'You are signed in, but this account may not use this part of the site.',
    todo: 'If you think this is a mistake, contact the people who run this site.',
    action: 'Go to the home page',
  },
  cross_site: {
    title: 'Cross-site request refused',
    what: 'This request was started by another site. For your safety, nothing was done.',
    todo: 'If that was you, please use the form on our own page.',
    action: 'Go to the home page',
  },
  request_refused: {
    title: 'That did not work',
    what: 'We could not do what your browser asked for.',
    todo: 'Please go back, check what you entered, and try again.',
    action: 'Go to the home page',
  },
  not_available: {
    title: 'This is not available right now',
    what: 'A part of this site is not responding. You have not been signed out.',
    todo: 'Please try again in a moment. If it keeps happening, contact the people who run this site.',
    action: 'Try again',
  },
}
