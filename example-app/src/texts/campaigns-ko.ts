import type { Texts } from './texts.js'

const number = (count: number): string => count.toLocaleString('ko')

/** Words of the pages about campaigns. */
export const campaignsKo: Texts['campaigns'] = {
  title: '캠페인',
  lead: '하나의 메시지를 많은 사람에게 보냅니다. 이 앱의 모든 인스턴스가 함께 보내며, 누구도 두 번 받지 않습니다.',
  list: '모든 캠페인',
  none: '아직 없습니다.',
  queue: '대기열',
  queueHelp: 'Bull Board로 표시하며, 번호는 들어 있지 않습니다.',
  create: '새 캠페인',
  notCreated: '만들어지지 않았습니다.',
  id: '이름',
  idHelp: '영문자, 숫자, “.”, “_”, “-”를 쓸 수 있습니다. 같은 캠페인을 다시 만들어도 바뀌는 것은 없습니다.',
  numbersHelp:
    '한 줄에 하나씩 또는 쉼표로 구분하며, 중복은 한 번만 셉니다. 80,000개가 넘는 목록은 워커로 보낼 수 있습니다.',
  hours: '이 시간에만 보내기',
  hoursHelp: '비워 두면 언제든지 보냅니다.',
  from: '시작',
  to: '끝',
  timeZone: '시간대',
  start: '시작하기',
  progress: '진행 상황',
  accepted: '접수됨',
  acceptedOf: (count, total) => `${number(total)}명 중 ${number(count)}명`,
  rejected: '거부됨',
  filtered: '제외됨',
  unknown: '확인 필요',
  left: '남음',
  rate: '속도',
  aMinute: (count) => `분당 ${number(count)}명`,
  timeLeft: '남은 시간',
  minutes: (count) => (count < 120 ? `약 ${count}분` : `약 ${Math.round(count / 60)}시간`),
  pause: '일시 중지',
  resume: '계속하기',
  cancel: '캠페인 취소',
  until: '다음 시각까지:',
  unknownTitle: '전송되었나요?',
  unknownHelp:
    'Ppoppo가 응답하는 동안 프로세스가 중단되어 전송 여부를 알 수 없습니다. 받는 사람에게 확인하거나 전달 알림을 기다려 주세요. ' +
    '전송되었는데 “전송되지 않음”을 선택하면 같은 메시지가 두 번 전송됩니다.',
  chunk: (index, size) => `묶음 ${number(index)}: ${number(size)}명`,
  wasSent: '전송됨',
  wasNotSent: '전송되지 않음',
  states: {
    preparing: '준비 중',
    scheduled: '예약됨',
    running: '보내는 중',
    resting: '대기 중',
    paused: '일시 중지됨',
    cancelling: '취소하는 중',
    cancelled: '취소됨',
    finished: '완료',
    stopped: '중단됨',
  },
  reasons: {
    resting: '자동으로 다시 시작됩니다.',
    stopped: '계속 보내도 실패합니다. 원인을 해결한 뒤 계속해 주세요.',
  },
}
