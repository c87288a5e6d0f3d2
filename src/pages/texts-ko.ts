import { appPagesKo } from './app-texts-ko.js'
import type { PageTexts } from './text-types.js'

const START_AGAIN = '처음부터 다시 시작'
const TRY_AGAIN = '다시 시도'
const SITE_FAULT = '사이트에서 발생한 문제이며, 계정에는 이상이 없습니다.'
const CONTACT_SITE = '아래 문의 번호를 사이트 운영자에게 알려 주세요.'

/** Korean, in the formal polite style (합니다), which notices and forms use. Buttons are nouns. */
export const ko: PageTexts = {
  signIn: 'Ppoppo로 로그인',
  reference: '문의 번호',
  forDeveloper: '사이트 개발자 안내',
  signedInAs: '현재 로그인한 계정',
  reason: '사이트에서 안내한 사유',
  missingScopes: '허용되지 않은 권한',
  clockBehind: '이 서버의 시계가 Ppoppo보다 {difference} 느립니다. 서버의 시계를 확인해 주세요.',
  clockAhead: '이 서버의 시계가 Ppoppo보다 {difference} 빠릅니다. 서버의 시계를 확인해 주세요.',
  back: '로그인 유지',
  everywhere: '다른 모든 기기와 브라우저에서도 로그아웃',
  pages: {
    attempt_missing: {
      title: '로그인을 계속할 수 없습니다',
      what: '이 브라우저에서 시작한 로그인을 찾지 못했습니다. 이미 완료되었거나 다른 브라우저에서 시작한 로그인일 수 있습니다.',
      todo: '계정에는 이상이 없습니다. 처음부터 다시 시작해 주세요.',
      action: START_AGAIN,
    },
    attempt_expired: {
      title: '로그인 시간이 초과되었습니다',
      what: '안전을 위해 로그인은 10분 안에 완료해야 합니다. 시간이 지나 로그인을 중단했습니다.',
      todo: '처음부터 다시 시작해 주세요.',
      action: START_AGAIN,
    },
    attempt_lost: {
      title: '로그인을 이어서 진행할 수 없습니다',
      what: `진행 중이던 로그인 정보가 사이트에 남아 있지 않습니다. Ppoppo에서 로그인하는 동안 사이트가 재시작되었을 수 있습니다. ${SITE_FAULT}`,
      todo: '처음부터 다시 시작해 주세요.',
      action: START_AGAIN,
      developer:
        '주요 원인: 로그인 정보를 메모리에 저장하는데 프로세스가 재시작되었거나 여러 개인 경우(REDIS_URL을 설정해 주세요), Redis가 초기화되었거나 메모리 부족으로 키를 삭제하는 경우, 프로세스마다 PPOPPO_VAULT_KEYS 값이 다른 경우입니다.',
    },
    malformed: {
      title: '주소가 올바르지 않습니다',
      what: '페이지 주소가 잘못되었거나 일부가 누락되어 계속할 수 없습니다.',
      todo: '새로고침하지 말고 처음부터 다시 시작해 주세요.',
      action: START_AGAIN,
    },
    already_handled: {
      title: '이미 완료된 로그인입니다',
      what: '이미 처리된 페이지이므로 다시 사용할 수 없습니다.',
      todo: '로그인되어 있지 않다면 처음부터 다시 시작해 주세요.',
      action: START_AGAIN,
    },
    still_signed_in: {
      title: '기존 계정으로 로그인되어 있습니다',
      what: '더 이상 유효하지 않은 로그인이어서 방금 Ppoppo에서 선택한 내용이 적용되지 않았습니다.',
      todo: '이 계정으로 계속하거나, 다른 계정을 사용하려면 먼저 로그아웃해 주세요.',
      action: '계속',
    },
    access_denied: {
      title: '로그인이 취소되었습니다',
      what: '로그인을 취소했거나 권한을 허용하지 않았습니다. 이 사이트에 전달된 정보는 없습니다.',
      todo: '언제든지 다시 로그인할 수 있습니다.',
      action: START_AGAIN,
    },
    account_setup_required: {
      title: '먼저 Ppoppo 가입을 완료해 주세요',
      what: 'Ppoppo 계정 설정이 완료되지 않아 로그인할 수 없습니다.',
      todo: 'Ppoppo에서 가입을 완료한 후 다시 시도해 주세요.',
      action: TRY_AGAIN,
    },
    provider_error: {
      title: '로그인하지 못했습니다',
      what: 'Ppoppo에서 로그인을 완료하지 못했습니다.',
      todo: `다시 시도해 주세요. 문제가 계속되면 ${CONTACT_SITE}`,
      action: TRY_AGAIN,
    },
    code_refused: {
      title: '로그인 코드를 사용할 수 없습니다',
      what: 'Ppoppo가 발급한 로그인 코드는 짧은 시간 동안 한 번만 사용할 수 있습니다. 코드가 만료되었거나 이미 사용되었습니다.',
      todo: '처음부터 다시 시작해 주세요.',
      action: START_AGAIN,
    },
    invalid_redirect_uri: {
      title: '이 사이트의 로그인 설정이 올바르지 않습니다',
      what: `로그인 후 돌아올 주소가 Ppoppo에 등록된 주소와 다릅니다. ${SITE_FAULT}`,
      todo: CONTACT_SITE,
      action: TRY_AGAIN,
      developer:
        'Ppoppo의 로그인 클라이언트에 콜백 주소(기본 주소 + 마운트 경로 + /callback)를 정확히 똑같이 등록해 주세요.',
    },
    invalid_client: {
      title: '이 사이트의 로그인 설정이 올바르지 않습니다',
      what: `Ppoppo에서 이 사이트가 확인되지 않습니다. ${SITE_FAULT}`,
      todo: CONTACT_SITE,
      action: TRY_AGAIN,
      developer:
        '클라이언트 ID(PPOPPO_CLIENT_ID)가 올바른지, 로그인 클라이언트가 이 환경에서 승인되었는지 확인해 주세요.',
    },
    invalid_scope: {
      title: '이 사이트의 로그인 설정이 올바르지 않습니다',
      what: `이 사이트가 허용되지 않은 권한을 Ppoppo에 요청했습니다. ${SITE_FAULT}`,
      todo: CONTACT_SITE,
      action: TRY_AGAIN,
      developer: '요청하는 스코프(PPOPPO_SCOPE)가 로그인 클라이언트에 허용되어 있는지 확인해 주세요.',
    },
    invalid_request: {
      title: '로그인하지 못했습니다',
      what: 'Ppoppo가 이 사이트의 요청을 처리하지 못했습니다.',
      todo: `다시 시도해 주세요. 문제가 계속되면 ${CONTACT_SITE}`,
      action: TRY_AGAIN,
    },
    scope_shortfall: {
      title: '필요한 권한이 허용되지 않았습니다',
      what: '이 사이트를 이용하는 데 필요한 권한이 없어 로그인하지 못했습니다.',
      todo: '다시 시도하여 요청된 권한을 허용해 주세요.',
      action: TRY_AGAIN,
    },
    verification_failed: {
      title: '로그인을 확인하지 못했습니다',
      what: '로그인 응답이 보안 검증을 통과하지 못해 로그인을 중단했습니다.',
      todo: `처음부터 다시 시작해 주세요. 문제가 계속되면 ${CONTACT_SITE}`,
      action: START_AGAIN,
    },
    provider_unavailable: {
      title: '지금은 Ppoppo에 연결할 수 없습니다',
      what: '일시적으로 로그인할 수 없습니다. 이미 로그인되어 있다면 그대로 유지됩니다.',
      todo: '1분 정도 후에 다시 시도해 주세요.',
      action: TRY_AGAIN,
    },
    store_unavailable: {
      title: '지금은 로그인할 수 없습니다',
      what: '사이트의 일부 기능이 응답하지 않습니다. 로그아웃된 것은 아닙니다.',
      todo: '잠시 후 다시 시도해 주세요.',
      action: TRY_AGAIN,
    },
    sign_in_unknown: {
      title: '지금은 로그인 상태를 확인할 수 없습니다',
      what: '사이트의 일부 기능이 응답하지 않습니다. 로그아웃된 것은 아닙니다.',
      todo: '잠시 후 다시 시도해 주세요.',
      action: TRY_AGAIN,
    },
    app_failed: {
      title: '로그인을 마치지 못했습니다',
      what: 'Ppoppo 본인 확인은 완료되었지만 이 사이트에서 문제가 발생했습니다.',
      todo: '잠시 후 다시 시도해 주세요.',
      action: TRY_AGAIN,
    },
    denied: {
      title: '이 계정으로는 이용할 수 없습니다',
      what: 'Ppoppo 본인 확인은 완료되었지만 이 사이트에서 이 계정의 이용을 허용하지 않습니다.',
      todo: '착오라고 생각되면 사이트 운영자에게 문의해 주세요. 다른 계정으로 로그인할 수도 있습니다.',
      action: '다른 계정으로 로그인',
    },
    rate_limited: {
      title: '잠시 후 다시 시도해 주세요',
      what: '현재 네트워크에서 짧은 시간에 로그인을 너무 많이 시도했습니다.',
      todo: '1분 정도 기다린 후 다시 시도해 주세요.',
      action: TRY_AGAIN,
    },
    cookie_missing: {
      title: '브라우저에 로그인 상태가 저장되지 않았습니다',
      what: '로그인했지만 로그인 상태를 저장하는 쿠키를 브라우저에서 받지 못했습니다.',
      todo: '이 사이트의 쿠키를 허용하고, 쿠키가 차단되는 시크릿 모드는 해제해 주세요. 기기의 시간이 맞는지 확인하고, 다른 앱이나 페이지 안이 아닌 브라우저에서 직접 사이트를 열어 주세요.',
      action: TRY_AGAIN,
      developer:
        '주요 원인: 기본 주소와 다른 호스트로 앱을 열었거나, 프록시 또는 CDN이 Set-Cookie 헤더를 제거하는 경우입니다. 앱 자체 세션을 사용한다면 세션 저장소의 데이터가 사라지거나 프로세스마다 저장소를 따로 사용하는 경우도 있습니다.',
    },
    sign_in_lost: {
      title: '로그인이 유지되지 않았습니다',
      what: `로그인했지만 곧바로 로그인 정보가 사라졌습니다. 사이트가 재시작되었거나 서버 간에 로그인 정보가 공유되지 않고 있습니다. ${SITE_FAULT}`,
      todo: '잠시 후 다시 시도해 주세요.',
      action: TRY_AGAIN,
      developer:
        '세션 쿠키는 전송되었지만 저장소에 해당 세션이 없습니다. 주요 원인: 여러 프로세스가 세션을 각자의 메모리에 저장하는 경우(REDIS_URL을 설정해 주세요), Redis가 초기화되었거나 메모리 부족으로 키를 삭제하는 경우입니다.',
    },
    sign_in_required: {
      title: '로그인이 필요합니다',
      what: '로그인해야 볼 수 있는 페이지입니다.',
      todo: '로그인하면 이 페이지로 돌아옵니다.',
      action: '로그인',
    },
    form_signed_out: {
      title: '로그아웃되었습니다',
      what: '페이지를 열어 둔 동안 로그아웃되어, 보낸 내용이 저장되지 않았습니다.',
      todo: '로그인한 후 다시 보내 주세요.',
      action: '로그인',
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
      title: '전송된 내용을 읽을 수 없습니다',
      what: '브라우저에서 보낸 내용을 읽을 수 없습니다. 변경된 사항은 없습니다.',
      todo: '아래 버튼을 눌러 계속해 주세요.',
      action: '계속',
      developer:
        'application/x-www-form-urlencoded 형식 또는 JSON 객체를 UTF-8로 인코딩해 8KB 이하로 보내고, 각 필드는 한 번만 포함해 주세요.',
    },
    signed_out_everywhere: {
      title: '모든 기기에서 로그아웃되었습니다',
      what: '로그인하는 동안 이 계정이 모든 기기에서 로그아웃되어, 이번 로그인도 완료되지 않았습니다.',
      todo: '직접 로그아웃했다면 다시 로그인해 주세요.',
      action: START_AGAIN,
    },
    logout_confirm: {
      title: '로그아웃하시겠습니까?',
      what: '이 브라우저에서 이 사이트의 로그인이 해제됩니다.',
      todo: '언제든지 다시 로그인할 수 있습니다.',
      action: '로그아웃',
    },
    logout_go_on: {
      title: '이 사이트에서 로그아웃되었습니다',
      what: 'Ppoppo에서도 로그아웃하기 위해 Ppoppo로 이동합니다.',
      todo: '자동으로 이동하지 않으면 아래 버튼을 눌러 주세요.',
      action: 'Ppoppo로 이동',
    },
    signed_out: {
      title: '로그아웃되었습니다',
      what: '이 브라우저에서는 이 사이트에 로그인되어 있지 않습니다.',
      todo: '언제든지 다시 로그인할 수 있습니다.',
      action: '계속',
    },
    everywhere_signed_out: {
      title: '로그인되어 있지 않습니다',
      what: '이 브라우저에서 로그인되어 있지 않아 다른 브라우저를 로그아웃할 수 없습니다.',
      todo: '로그인한 후 모든 기기에서 로그아웃해 주세요.',
      action: '로그인',
    },
    logout_unavailable: {
      title: '아직 로그인되어 있습니다',
      what: '사이트의 일부 기능이 응답하지 않아 지금은 로그아웃하지 못했습니다.',
      todo: '잠시 후 다시 시도해 주세요. 공용 기기라면 로그아웃될 때까지 자리를 비우지 마세요.',
      action: TRY_AGAIN,
    },
    ...appPagesKo,
  },
}
