import type { AppPageKind, PageText } from './text-types.js'

/** The same pages as in `app-texts-en.ts`. */
export const appPagesKo: Readonly<Record<AppPageKind, PageText>> = {
  sign_in_again: {
    title: '다시 로그인해 주세요',
    what: '안전을 위해 다시 로그인해야 합니다. 양식을 보냈더라도 저장되지 않았습니다.',
    todo: '로그인하면 이 사이트로 돌아옵니다.',
    action: '로그인',
  },
  forbidden: {
    title: '이 페이지를 열 수 없습니다',
    what: '로그인되어 있지만 이 계정으로는 사이트의 이 부분을 이용할 수 없습니다.',
    todo: '잘못된 것 같으면 사이트 운영자에게 문의해 주세요.',
    action: '홈으로 이동',
  },
  cross_site: {
    title: '다른 사이트에서 보낸 요청을 거부했습니다',
    what: '다른 사이트에서 시작된 요청입니다. 안전을 위해 아무 작업도 하지 않았습니다.',
    todo: '직접 보낸 요청이라면 이 사이트의 페이지에 있는 양식을 이용해 주세요.',
    action: '홈으로 이동',
  },
  request_refused: {
    title: '요청을 처리하지 못했습니다',
    what: '브라우저가 보낸 요청을 처리할 수 없습니다.',
    todo: '이전 페이지로 돌아가 입력한 내용을 확인한 후 다시 시도해 주세요.',
    action: '홈으로 이동',
  },
  not_available: {
    title: '지금은 이용할 수 없습니다',
    what: '사이트의 일부 기능이 응답하지 않습니다. 로그아웃되지는 않았습니다.',
    todo: '잠시 후 다시 시도해 주세요. 문제가 계속되면 사이트 운영자에게 문의해 주세요.',
    action: '다시 시도',
  },
}
