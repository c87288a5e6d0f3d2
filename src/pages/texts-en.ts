import type { PageTexts } from './texts.js'

const START_ANEW = 'Start again'
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
      what: 'We could not find the sign-in that this page belongs to in this browser. It may already be finished, or it was begun in another browser.',
      todo: 'Nothing is wrong with your account. Please start again here.',
      action: START_ANEW,
    },
    attempt_expired: {
      title: 'That took a little too long',
      what: 'A sign-in has to be finished within ten minutes, for your safety. This one was open longer.',
      todo: 'Please start again.',
      action: START_ANEW,
    },
    attempt_lost: {
      title: 'We lost track of your sign-in',
      what: 'This site no longer knows the sign-in you began. It was most likely restarted while you were at Ppoppo. It is not your fault.',
      todo: 'Please start again.',
      action: START_ANEW,
      developer:
        'Usual causes: the process was restarted, or there are several, while sign-ins are kept in memory (set REDIS_URL); Redis was flushed or evicts keys; processes have different PPOPPO_VAULT_KEYS.',
    },
    malformed: {
      title: 'This link is not complete',
      what: 'The address of this page is damaged or incomplete, so we could not continue.',
      todo: 'Please start again rather than reloading this page.',
      action: START_ANEW,
    },
    already_handled: {
      title: 'This sign-in is already finished',
      what: 'The page you came back to has done its work and cannot be used a second time.',
      todo: 'If you are not signed in, start again here.',
      action: START_ANEW,
    },
    still_signed_in: {
      title: 'You are still signed in as before',
      what: 'The sign-in you came back to could not be used any more, so what you chose at Ppoppo just now changed nothing here.',
      todo: 'Continue with this account, or sign out first to use another one.',
      action: 'Continue',
    },
    access_denied: {
      title: 'You did not sign in',
      what: 'The sign-in was cancelled, or permission was not given. Nothing was shared with this site.',
      todo: 'If you changed your mind, you can start again at any time.',
      action: START_ANEW,
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
      todo: 'Please try again. If it keeps happening, tell the people who run this site the reference below.',
      action: TRY_AGAIN,
    },
    code_refused: {
      title: 'Ppoppo did not accept this sign-in any more',
      what: 'What Ppoppo gave you to take here works once and for a short time. It was too old, or had been used.',
      todo: 'Please start again.',
      action: START_ANEW,
    },
    invalid_redirect_uri: {
      title: 'Sign-in is not set up correctly here',
      what: 'This site and Ppoppo do not agree on the address to return to. It is not your fault.',
      todo: 'Please tell the people who run this site, with the reference below.',
      action: TRY_AGAIN,
      developer:
        'Register the callback address (base URL + mount path + /callback) for your login client at Ppoppo, character for character.',
    },
    invalid_client: {
      title: 'Sign-in is not set up correctly here',
      what: 'Ppoppo does not recognise this site. It is not your fault.',
      todo: 'Please tell the people who run this site, with the reference below.',
      action: TRY_AGAIN,
      developer: 'Check the client id (PPOPPO_CLIENT_ID), and that the login client is approved in this environment.',
    },
    invalid_scope: {
      title: 'Sign-in is not set up correctly here',
      what: 'This site asked Ppoppo for a permission it may not ask for. It is not your fault.',
      todo: 'Please tell the people who run this site, with the reference below.',
      action: TRY_AGAIN,
      developer: 'Check the scopes (PPOPPO_SCOPE) against those your login client may use.',
    },
    invalid_request: {
      title: 'Sign-in did not work',
      what: 'Ppoppo did not understand the request from this site.',
      todo: 'Please try again. If it keeps happening, tell the people who run this site the reference below.',
      action: TRY_AGAIN,
    },
    scope_shortfall: {
      title: 'A permission is missing',
      what: 'This site needs a permission that was not given, so you have not been signed in.',
      todo: 'Please try again and allow what is asked.',
      action: TRY_AGAIN,
    },
    verification_failed: {
      title: 'We could not verify this sign-in',
      what: 'The answer we received did not pass our safety checks. You have not been signed in.',
      todo: 'Please start again. If it keeps happening, tell the people who run this site the reference below.',
      action: START_ANEW,
    },
    provider_unavailable: {
      title: 'Ppoppo cannot be reached right now',
      what: 'Signing in is not possible for the moment. Whoever is signed in stays signed in.',
      todo: 'Please try again in a minute.',
      action: TRY_AGAIN,
    },
    store_unavailable: {
      title: 'We cannot sign you in right now',
      what: 'A part of this site is not answering. You have not been signed out.',
      todo: 'Please try again in a moment.',
      action: TRY_AGAIN,
    },
    sign_in_unknown: {
      title: 'We cannot see who is signed in right now',
      what: 'A part of this site is not answering. You have not been signed out.',
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
        "Usual causes: the app is opened under another host than the base URL, or a proxy or CDN drops Set-Cookie. With a session of the app's own also: its store forgets, or several processes each have their own.",
    },
    sign_in_lost: {
      title: 'This site did not keep your sign-in',
      what: 'You signed in, but a moment later this site did not know it any more. It is not your fault: the site was restarted, or a part of it does not know what another part does.',
      todo: 'Please try again in a moment.',
      action: TRY_AGAIN,
      developer:
        'The session cookie came, but its session is not in the store. Usual causes: several processes that each keep sessions in memory (set REDIS_URL), or a Redis that was flushed or evicts keys.',
    },
    sign_in_required: {
      title: 'Please sign in',
      what: 'This page is for people who are signed in.',
      todo: 'Sign in, and you come back to it.',
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
      what: 'You sign in at Ppoppo, then you come back here.',
      todo: 'If nothing happens, use the button.',
      action: 'Continue to Ppoppo',
    },
    framed: {
      title: 'Open a new tab to sign in',
      what: 'This site is shown inside another page, and you cannot sign in here.',
      todo: 'Use the button to sign in on a page of its own.',
      action: 'Open a new tab',
    },
    form_unreadable: {
      title: 'This form could not be read',
      what: 'We could not read what your browser sent, so nothing was changed.',
      todo: 'Please use the button below.',
      action: 'Continue',
      developer:
        'Send a form as application/x-www-form-urlencoded or as a JSON object, in UTF-8, at most 8 KB, and each field once.',
    },
    signed_out_everywhere: {
      title: 'You were signed out everywhere',
      what: 'While you were signing in, all sign-ins of your account were ended, so this one was not completed either.',
      todo: 'If that was you, simply start again.',
      action: START_ANEW,
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
      what: 'Nobody is signed in in this browser, so we could not sign you out in your other browsers.',
      todo: 'Sign in, then sign out everywhere.',
      action: 'Sign in',
    },
    logout_unavailable: {
      title: 'You are still signed in',
      what: 'We could not sign you out just now, because a part of this site is not answering.',
      todo: 'Please try again in a moment, and do not leave a shared device until it has worked.',
      action: TRY_AGAIN,
    },
  },
}
