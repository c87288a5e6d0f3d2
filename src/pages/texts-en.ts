import { appPagesEn } from './app-texts-en.js'
import type { PageTexts } from './text-types.js'

const START_AGAIN = 'Start again'
const TRY_AGAIN = 'Try again'

/** English. Calm and plain: what happened, what to do. */
export const en: PageTexts = {
  signIn: 'Sign in with Ppoppo',
  reference: 'Reference',
  forDeveloper: 'For the developer of this site',
  signedInAs: 'Signed in as',
  reason: 'Reason given by this site',
  missingScopes: 'Not granted',
  clockBehind: "This server's clock is {difference} behind Ppoppo's. Check this machine's clock.",
  clockAhead: "This server's clock is {difference} ahead of Ppoppo's. Check this machine's clock.",
  back: 'Stay signed in',
  everywhere: 'Also sign out on all my other devices and browsers',
  pages: {
    attempt_missing: {
      title: 'This sign-in cannot be continued',
      what: 'This browser has no sign-in that belongs to this page. It may already be finished, or it was started in another browser.',
      todo: 'Nothing is wrong with your account. Please start again here.',
      action: START_AGAIN,
    },
    attempt_expired: {
      title: 'That took a little too long',
      what: 'For your safety, a sign-in must be finished within ten minutes. This one took longer.',
      todo: 'Please start again.',
      action: START_AGAIN,
    },
    attempt_lost: {
      title: 'We lost track of your sign-in',
      what: 'This site no longer has the sign-in you started. It was probably restarted while you were at Ppoppo. This is not your fault.',
      todo: 'Please start again.',
      action: START_AGAIN,
      developer:
        'Usual causes: sign-ins are kept in memory, and the process was restarted or is one of several (set REDIS_URL); Redis was flushed or evicts keys; processes have different PPOPPO_VAULT_KEYS.',
    },
    malformed: {
      title: 'This link is not complete',
      what: 'The address of this page is damaged or incomplete, so we could not continue.',
      todo: 'Please start again rather than reloading this page.',
      action: START_AGAIN,
    },
    already_handled: {
      title: 'This sign-in is already finished',
      what: 'This page has already been used and cannot be used a second time.',
      todo: 'If you are not signed in, start again here.',
      action: START_AGAIN,
    },
    still_signed_in: {
      title: 'You are still signed in as before',
      what: 'The sign-in you came back to was no longer valid, so what you just chose at Ppoppo changed nothing here.',
      todo: 'Continue with this account, or sign out first to use another one.',
      action: 'Continue',
    },
    access_denied: {
      title: 'You did not sign in',
      what: 'The sign-in was cancelled, or permission was not given. Nothing was shared with this site.',
      todo: 'If you changed your mind, you can start again at any time.',
      action: START_AGAIN,
    },
    account_setup_required: {
      title: 'Finish your Ppoppo registration first',
      what: 'Your Ppoppo account is not completely set up yet, so it cannot be used to sign in.',
      todo: 'Complete your registration at Ppoppo, then come back and try again.',
      action: TRY_AGAIN,
    },
    provider_error: {
      title: 'Sign-in did not work',
      what: 'Ppoppo could not complete the sign-in.',
      todo: 'Please try again. If it keeps happening, contact the people who run this site and give them the reference below.',
      action: TRY_AGAIN,
    },
    code_refused: {
      title: 'Ppoppo no longer accepts this sign-in',
      what: 'The code that Ppoppo issues for a sign-in works once and only for a short time. It had expired or had already been used.',
      todo: 'Please start again.',
      action: START_AGAIN,
    },
    invalid_redirect_uri: {
      title: 'Sign-in is not set up correctly here',
      what: 'This site and Ppoppo do not agree on the address to return to. This is not your fault.',
      todo: 'Please contact the people who run this site and give them the reference below.',
      action: TRY_AGAIN,
      developer:
        'Register the callback address (base URL + mount path + /callback) for your login client at Ppoppo, character for character.',
    },
    invalid_client: {
      title: 'Sign-in is not set up correctly here',
      what: 'Ppoppo does not recognise this site. This is not your fault.',
      todo: 'Please contact the people who run this site and give them the reference below.',
      action: TRY_AGAIN,
      developer: 'Check the client id (PPOPPO_CLIENT_ID), and that the login client is approved in this environment.',
    },
    invalid_scope: {
      title: 'Sign-in is not set up correctly here',
      what: 'This site requested a permission that it may not request. This is not your fault.',
      todo: 'Please contact the people who run this site and give them the reference below.',
      action: TRY_AGAIN,
      developer: 'Check the scopes (PPOPPO_SCOPE) against those your login client may use.',
    },
    invalid_request: {
      title: 'Sign-in did not work',
      what: 'Ppoppo did not understand the request from this site.',
      todo: 'Please try again. If it keeps happening, contact the people who run this site and give them the reference below.',
      action: TRY_AGAIN,
    },
    scope_shortfall: {
      title: 'A permission is missing',
      what: 'This site needs a permission that was not given, so you have not been signed in.',
      todo: 'Please try again and allow what is requested.',
      action: TRY_AGAIN,
    },
    verification_failed: {
      title: 'We could not verify this sign-in',
      what: 'The answer we received did not pass our safety checks. You have not been signed in.',
      todo: 'Please start again. If it keeps happening, contact the people who run this site and give them the reference below.',
      action: START_AGAIN,
    },
    provider_unavailable: {
      title: 'Ppoppo cannot be reached right now',
      what: 'You cannot sign in at the moment. If you are already signed in, you stay signed in.',
      todo: 'Please try again in a minute.',
      action: TRY_AGAIN,
    },
    store_unavailable: {
      title: 'We cannot sign you in right now',
      what: 'A part of this site is not responding. You have not been signed out.',
      todo: 'Please try again in a moment.',
      action: TRY_AGAIN,
    },
    sign_in_unknown: {
      title: 'We cannot see who is signed in right now',
      what: 'A part of this site is not responding. You have not been signed out.',
      todo: 'Please try again in a moment.',
      action: TRY_AGAIN,
    },
    app_failed: {
      title: 'We could not finish signing you in',
      what: 'Ppoppo confirmed who you are, but this site had a problem of its own.',
      todo: 'Please try again in a moment.',
      action: TRY_AGAIN,
    },
    denied: {
      title: 'This account cannot be used here',
      what: 'Ppoppo confirmed who you are, but this site does not let this account in.',
      todo: 'If you think this is a mistake, contact the people who run this site. You can also try another account.',
      action: 'Use another account',
    },
    rate_limited: {
      title: 'A short break, please',
      what: 'There were too many sign-in attempts from your network in a short time.',
      todo: 'Please wait a minute, then try again.',
      action: TRY_AGAIN,
    },
    cookie_missing: {
      title: 'Your browser did not keep the sign-in',
      what: 'You signed in, but the cookie that remembers it did not come back to us.',
      todo: 'Allow cookies for this site, leave private mode if it blocks them, check that the clock of your device is right, and open the site directly rather than inside another app or page.',
      action: TRY_AGAIN,
      developer:
        'Usual causes: the app was opened under a different host than the base URL, or a proxy or CDN drops Set-Cookie. If the app has its own session: its store loses sessions, or each process has a store of its own.',
    },
    sign_in_lost: {
      title: 'This site did not keep your sign-in',
      what: 'You signed in, but a moment later this site had lost your sign-in. This is not your fault: the site was restarted, or its servers do not share sign-ins.',
      todo: 'Please try again in a moment.',
      action: TRY_AGAIN,
      developer:
        'The session cookie arrived, but its session is not in the store. Usual causes: each of several processes keeps sessions in memory (set REDIS_URL), or Redis was flushed or evicts keys.',
    },
    sign_in_required: {
      title: 'Please sign in',
      what: 'This page is for people who are signed in.',
      todo: 'Sign in and you will come back to this page.',
      action: 'Sign in',
    },
    form_signed_out: {
      title: 'You are signed out',
      what: 'Your sign-in ended while the page was open, so what you sent was not kept.',
      todo: 'Sign in, then send it again.',
      action: 'Sign in',
    },
    login_go_on: {
      title: 'Taking you to Ppoppo',
      what: 'You sign in at Ppoppo and then come back here.',
      todo: 'If nothing happens, use the button.',
      action: 'Continue to Ppoppo',
    },
    framed: {
      title: 'Open a new tab to sign in',
      what: 'This site is shown inside another page, and you cannot sign in here.',
      todo: 'Use the button to sign in on a separate page.',
      action: 'Open a new tab',
    },
    form_unreadable: {
      title: 'This form could not be read',
      what: 'We could not read what your browser sent, so nothing was changed.',
      todo: 'Please use the button below.',
      action: 'Continue',
      developer:
        'Send the fields as application/x-www-form-urlencoded or as a JSON object, in UTF-8, at most 8 KB, each field once.',
    },
    signed_out_everywhere: {
      title: 'You were signed out everywhere',
      what: 'While you were signing in, all sign-ins of your account were ended, so this one was not completed either.',
      todo: 'If that was you, simply start again.',
      action: START_AGAIN,
    },
    logout_confirm: {
      title: 'Sign out?',
      what: 'You are about to sign out of this site in this browser.',
      todo: 'You can sign in again at any time.',
      action: 'Sign out',
    },
    logout_go_on: {
      title: 'You are signed out of this site',
      what: 'To finish, we are taking you to Ppoppo so that you are signed out there too.',
      todo: 'If nothing happens, use the button.',
      action: 'Continue to Ppoppo',
    },
    signed_out: {
      title: 'You are signed out',
      what: 'Nobody is signed in to this site in this browser.',
      todo: 'You can sign in again at any time.',
      action: 'Continue',
    },
    everywhere_signed_out: {
      title: 'You are not signed in here',
      what: 'Nobody is signed in to this site in this browser, so we could not sign you out in your other browsers.',
      todo: 'Sign in, then sign out everywhere.',
      action: 'Sign in',
    },
    logout_unavailable: {
      title: 'You are still signed in',
      what: 'We could not sign you out just now, because a part of this site is not responding.',
      todo: 'Please try again in a moment, and do not leave a shared device until it has worked.',
      action: TRY_AGAIN,
    },
    ...appPagesEn,
  },
}
