import type { PageTexts } from './texts.js'

const START_ANEW = '처음부터 다시 시작하기'
const TRY_AGAIN = '다시 시도하기'
const NOT_YOUR_FAULT = '이용하시는 분의 잘못은 아닙니다.'
const TELL_THE_SITE = '아래 문의 번호를 사이트 운영자에게 알려 주세요.'

/** Korean, in the polite style of notices. */
export const ko: PageTexts = {
  signIn: 'Ppoppo로 로그인',
  reference: '문의 번호',
  forDeveloper: '사이트 개발자에게',
  signedInAs: '현재 로그인한 계정',
  reason: '사이트에서 알려 준 사유',
  missingScopes: '허용되지 않은 권한',
  clockBehind: '이 서버의 시계가 Ppoppo보다 {difference} 느립니다. 서버의 시계를 확인해 주세요.',
  clockAhead: '이 서버의 시계가 Ppoppo보다 {difference} 빠릅니다. 서버의 시계를 확인해 주세요.',
  back: '로그인 유지하기',
  everywhere: '다른 기기와 브라우저에서도 모두 로그아웃하기',
  pages: {
    attempt_missing: {
      title: '로그인을 계속할 수 없습니다',
      what: '이 브라우저에서 시작한 로그인을 찾지 못했습니다. 이미 끝났거나 다른 브라우저에서 시작한 로그인일 수 있습니다.',
      todo: '계정에는 문제가 없습니다. 여기에서 다시 시작해 주세요.',
      action: START_ANEW,
    },
    attempt_expired: {
      title: '로그인 시간이 지났습니다',
      what: '안전을 위해 로그인은 10분 안에 마쳐야 합니다. 이 로그인은 그 시간을 넘겼습니다.',
      todo: '처음부터 다시 시작해 주세요.',
      action: START_ANEW,
    },
    attempt_lost: {
      title: '진행 중이던 로그인을 찾을 수 없습니다',
      what: `시작하신 로그인이 사이트에 남아 있지 않습니다. Ppoppo에 계시는 동안 사이트가 재시작되었을 가능성이 큽니다. ${NOT_YOUR_FAULT}`,
      todo: '처음부터 다시 시작해 주세요.',
      action: START_ANEW,
      developer:
        '흔한 원인: 로그인을 메모리에 보관하는데 프로세스가 재시작되었거나 여러 개인 경우(REDIS_URL을 설정해 주세요), Redis가 비워졌거나 키를 삭제하는 경우, 프로세스마다 PPOPPO_VAULT_KEYS가 다른 경우입니다.',
    },
    malformed: {
      title: '주소가 올바르지 않습니다',
      what: '이 페이지의 주소가 손상되었거나 일부가 빠져 있어 계속할 수 없습니다.',
      todo: '새로고침하지 말고 처음부터 다시 시작해 주세요.',
      action: START_ANEW,
    },
    already_handled: {
      title: '이미 끝난 로그인입니다',
      what: '되돌아온 이 페이지는 이미 처리되어 다시 사용할 수 없습니다.',
      todo: '로그인되어 있지 않다면 여기에서 다시 시작해 주세요.',
      action: START_ANEW,
    },
    still_signed_in: {
      title: '로그인한 계정이 그대로입니다',
      what: '더 이상 사용할 수 없는 로그인으로 돌아오셨기 때문에, 방금 Ppoppo에서 선택하신 내용은 적용되지 않았습니다.',
      todo: '이 계정으로 계속하시거나, 다른 계정을 쓰시려면 먼저 로그아웃해 주세요.',
      action: '계속하기',
    },
    access_denied: {
      title: '로그인이 취소되었습니다',
      what: '로그인을 취소했거나 권한을 허용하지 않았습니다. 이 사이트에 전달된 정보는 없습니다.',
      todo: '원하시면 언제든지 다시 시작할 수 있습니다.',
      action: START_ANEW,
    },
    account_setup_required: {
      title: '먼저 Ppoppo 가입을 완료해 주세요',
      what: 'Ppoppo 계정 설정이 아직 끝나지 않아 로그인에 사용할 수 없습니다.',
      todo: 'Ppoppo에서 가입을 마친 뒤 돌아와 다시 시도해 주세요.',
      action: TRY_AGAIN,
    },
    provider_error: {
      title: '로그인하지 못했습니다',
      what: 'Ppoppo에서 로그인을 완료하지 못했습니다.',
      todo: `다시 시도해 주세요. 계속 같은 문제가 생기면 ${TELL_THE_SITE}`,
      action: TRY_AGAIN,
    },
    code_refused: {
      title: 'Ppoppo에서 이 로그인을 더 이상 받아들이지 않습니다',
      what: 'Ppoppo가 보낸 로그인 확인 정보는 짧은 시간 안에 한 번만 사용할 수 있습니다. 시간이 지났거나 이미 사용되었습니다.',
      todo: '처음부터 다시 시작해 주세요.',
      action: START_ANEW,
    },
    invalid_redirect_uri: {
      title: '이 사이트의 로그인 설정이 올바르지 않습니다',
      what: `로그인 후 돌아올 주소가 Ppoppo에 등록된 주소와 다릅니다. ${NOT_YOUR_FAULT}`,
      todo: TELL_THE_SITE,
      action: TRY_AGAIN,
      developer:
        'Ppoppo의 로그인 클라이언트에 콜백 주소(기본 주소 + 마운트 경로 + /callback)를 한 글자도 다르지 않게 등록해 주세요.',
    },
    invalid_client: {
      title: '이 사이트의 로그인 설정이 올바르지 않습니다',
      what: `Ppoppo가 이 사이트를 확인하지 못했습니다. ${NOT_YOUR_FAULT}`,
      todo: TELL_THE_SITE,
      action: TRY_AGAIN,
      developer: '클라이언트 ID(PPOPPO_CLIENT_ID)와, 로그인 클라이언트가 이 환경에서 승인되었는지 확인해 주세요.',
    },
    invalid_scope: {
      title: '이 사이트의 로그인 설정이 올바르지 않습니다',
      what: `이 사이트가 요청할 수 없는 권한을 Ppoppo에 요청했습니다. ${NOT_YOUR_FAULT}`,
      todo: TELL_THE_SITE,
      action: TRY_AGAIN,
      developer: '요청하는 스코프(PPOPPO_SCOPE)가 로그인 클라이언트에 허용된 것인지 확인해 주세요.',
    },
    invalid_request: {
      title: '로그인하지 못했습니다',
      what: 'Ppoppo가 이 사이트의 요청을 이해하지 못했습니다.',
      todo: `다시 시도해 주세요. 계속 같은 문제가 생기면 ${TELL_THE_SITE}`,
      action: TRY_AGAIN,
    },
    scope_shortfall: {
      title: '필요한 권한이 빠져 있습니다',
      what: '이 사이트에 필요한 권한이 허용되지 않아 로그인하지 못했습니다.',
      todo: '다시 시도하면서 요청된 권한을 허용해 주세요.',
      action: TRY_AGAIN,
    },
    verification_failed: {
      title: '로그인을 확인하지 못했습니다',
      what: '받은 응답이 안전 검사를 통과하지 못해 로그인하지 않았습니다.',
      todo: `처음부터 다시 시작해 주세요. 계속 같은 문제가 생기면 ${TELL_THE_SITE}`,
      action: START_ANEW,
    },
    provider_unavailable: {
      title: '지금은 Ppoppo에 연결할 수 없습니다',
      what: '잠시 로그인할 수 없습니다. 이미 로그인한 상태는 그대로 유지됩니다.',
      todo: '1분쯤 뒤에 다시 시도해 주세요.',
      action: TRY_AGAIN,
    },
    store_unavailable: {
      title: '지금은 로그인할 수 없습니다',
      what: '사이트의 일부가 응답하지 않습니다. 로그아웃된 것은 아닙니다.',
      todo: '잠시 뒤에 다시 시도해 주세요.',
      action: TRY_AGAIN,
    },
    sign_in_unknown: {
      title: '지금은 로그인 상태를 확인할 수 없습니다',
      what: '사이트의 일부가 응답하지 않습니다. 로그아웃된 것은 아닙니다.',
      todo: '잠시 뒤에 다시 시도해 주세요.',
      action: TRY_AGAIN,
    },
    app_failed: {
      title: '로그인을 마치지 못했습니다',
      what: 'Ppoppo에서 본인 확인은 되었지만, 이 사이트에 문제가 생겼습니다.',
      todo: '잠시 뒤에 다시 시도해 주세요.',
      action: TRY_AGAIN,
    },
    denied: {
      title: '이 계정으로는 이용할 수 없습니다',
      what: 'Ppoppo에서 본인 확인은 되었지만, 이 사이트에서 이 계정의 이용을 허용하지 않았습니다.',
      todo: '잘못된 것 같다면 사이트 운영자에게 문의해 주세요. 다른 계정으로 로그인해 볼 수도 있습니다.',
      action: '다른 계정으로 로그인',
    },
    rate_limited: {
      title: '잠시 후 다시 시도해 주세요',
      what: '사용 중인 네트워크에서 짧은 시간에 너무 많은 로그인 시도가 있었습니다.',
      todo: '1분쯤 기다린 뒤 다시 시도해 주세요.',
      action: TRY_AGAIN,
    },
    cookie_missing: {
      title: '브라우저에 로그인이 저장되지 않았습니다',
      what: '로그인은 되었지만, 로그인 상태를 기억하는 쿠키가 돌아오지 않았습니다.',
      todo: '이 사이트의 쿠키를 허용하고, 쿠키를 막는 시크릿 모드라면 해제해 주세요. 기기의 시계가 맞는지 확인하고, 다른 앱이나 페이지 안이 아니라 브라우저에서 직접 사이트를 열어 주세요.',
      action: TRY_AGAIN,
      developer:
        '흔한 원인: 기본 주소와 다른 호스트로 앱을 열었거나, 프록시나 CDN이 Set-Cookie 헤더를 제거하는 경우입니다. 앱의 세션을 쓴다면 세션 저장소가 내용을 잃거나, 여러 프로세스가 저장소를 각각 따로 쓰는 경우도 있습니다.',
    },
    sign_in_lost: {
      title: '로그인이 유지되지 않았습니다',
      what: `로그인은 되었지만 사이트가 바로 그 로그인을 잃어버렸습니다. 사이트가 재시작되었거나 서버끼리 로그인 정보를 공유하지 못하고 있습니다. ${NOT_YOUR_FAULT}`,
      todo: '잠시 뒤에 다시 시도해 주세요.',
      action: TRY_AGAIN,
      developer:
        '세션 쿠키는 도착했지만 저장소에 그 세션이 없습니다. 흔한 원인: 여러 프로세스가 세션을 각자의 메모리에 보관하는 경우(REDIS_URL을 설정해 주세요), Redis가 비워졌거나 키를 삭제하는 경우입니다.',
    },
    sign_in_required: {
      title: '로그인이 필요합니다',
      what: '로그인한 분만 볼 수 있는 페이지입니다.',
      todo: '로그인하시면 이 페이지로 돌아옵니다.',
      action: '로그인하기',
    },
    form_signed_out: {
      title: '로그아웃된 상태입니다',
      what: '페이지가 열려 있는 동안 로그인이 끝나, 보내신 내용은 저장되지 않았습니다.',
      todo: '로그인한 뒤 다시 보내 주세요.',
      action: '로그인하기',
    },
    login_go_on: {
      title: 'Ppoppo로 이동합니다',
      what: 'Ppoppo에서 로그인하면 이 사이트로 다시 돌아옵니다.',
      todo: '자동으로 이동하지 않으면 아래 버튼을 눌러 주세요.',
      action: 'Ppoppo로 이동',
    },
    framed: {
      title: '새 탭에서 로그인해 주세요',
      what: '이 사이트가 다른 페이지 안에 열려 있어 여기에서는 로그인할 수 없습니다.',
      todo: '아래 버튼을 누르면 새 탭에서 로그인할 수 있습니다.',
      action: '새 탭 열기',
    },
    form_unreadable: {
      title: '보낸 내용을 읽지 못했습니다',
      what: '브라우저에서 보낸 내용을 읽을 수 없어 아무것도 변경하지 않았습니다.',
      todo: '아래 버튼을 눌러 계속해 주세요.',
      action: '계속하기',
      developer:
        'application/x-www-form-urlencoded 또는 JSON 객체로, UTF-8로 8KB 이하, 각 필드를 한 번씩만 보내 주세요.',
    },
    signed_out_everywhere: {
      title: '모든 기기에서 로그아웃되었습니다',
      what: '로그인하는 동안 이 계정의 모든 로그인이 종료되어, 이 로그인도 완료되지 않았습니다.',
      todo: '직접 하신 일이라면 다시 로그인하시면 됩니다.',
      action: START_ANEW,
    },
    logout_confirm: {
      title: '로그아웃할까요?',
      what: '이 브라우저에서 사용 중인 계정이 이 사이트에서 로그아웃됩니다.',
      todo: '언제든지 다시 로그인할 수 있습니다.',
      action: '로그아웃',
    },
    logout_go_on: {
      title: '이 사이트에서 로그아웃되었습니다',
      what: 'Ppoppo에서도 로그아웃되도록 Ppoppo로 이동합니다.',
      todo: '자동으로 이동하지 않으면 아래 버튼을 눌러 주세요.',
      action: 'Ppoppo로 이동',
    },
    signed_out: {
      title: '로그아웃되어 있습니다',
      what: '이 브라우저에서는 이 사이트에 로그인되어 있지 않습니다.',
      todo: '언제든지 다시 로그인할 수 있습니다.',
      action: '계속하기',
    },
    everywhere_signed_out: {
      title: '로그인되어 있지 않습니다',
      what: '이 브라우저에 로그인되어 있지 않아 다른 브라우저에서 로그아웃하지 못했습니다.',
      todo: '로그인한 뒤 모든 기기에서 로그아웃해 주세요.',
      action: '로그인하기',
    },
    logout_unavailable: {
      title: '아직 로그인되어 있습니다',
      what: '사이트의 일부가 응답하지 않아 지금은 로그아웃하지 못했습니다.',
      todo: '잠시 뒤에 다시 시도해 주세요. 함께 쓰는 기기라면 로그아웃될 때까지 자리를 비우지 마세요.',
      action: TRY_AGAIN,
    },
  },
}
