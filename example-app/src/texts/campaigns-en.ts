/* Words of the pages about campaigns. */

const number = (count: number): string => count.toLocaleString('en')

export const campaignsEn = {
  title: 'Campaigns',
  lead: 'One message to any number of people, sent by all instances of this app together. Nobody gets it twice.',
  list: 'All campaigns',
  none: 'None yet.',
  queue: 'The queue',
  queueHelp: 'In Bull Board. It holds no numbers.',
  create: 'New campaign',
  notCreated: 'Nothing was created.',
  id: 'Name',
  idHelp: 'Letters, digits, “.”, “_” and “-”. Creating the same campaign again changes nothing.',
  numbersHelp: 'One per line, or separated by commas; each counts once. For more than 80,000 there is the worker.',
  hours: 'Only at these hours',
  hoursHelp: 'Leave them empty to send at any time.',
  from: 'From',
  to: 'To',
  timeZone: 'Time zone',
  start: 'Start',
  progress: 'Progress',
  accepted: 'Accepted',
  acceptedOf: (count: number, total: number) => `${number(count)} of ${number(total)}`,
  rejected: 'Rejected',
  filtered: 'Left out',
  unknown: 'Unknown',
  left: 'Left',
  rate: 'Rate',
  aMinute: (count: number) => `${number(count)} people a minute`,
  timeLeft: 'Time left',
  minutes: (count: number) =>
    count === 1 ? 'about a minute' : count < 120 ? `about ${count} minutes` : `about ${Math.round(count / 60)} hours`,
  pause: 'Pause',
  resume: 'Resume',
  cancel: 'Cancel the campaign',
  until: 'Until',
  unknownTitle: 'Was it sent?',
  unknownHelp:
    'A process stopped while Ppoppo was answering, so nobody knows. Ask somebody on the list, or wait for delivery events. If you say ' +
    '“not sent” and it was, these people get the message twice.',
  chunk: (index: number, size: number) =>
    `Chunk ${number(index)}: ${size === 1 ? 'one person' : `${number(size)} people`}`,
  wasSent: 'It was sent',
  wasNotSent: 'It was not sent',
  states: {
    preparing: 'Preparing',
    scheduled: 'Scheduled',
    running: 'Running',
    resting: 'Resting',
    paused: 'Paused',
    cancelling: 'Cancelling',
    cancelled: 'Cancelled',
    finished: 'Finished',
    stopped: 'Stopped',
  },
  reasons: {
    resting: 'It goes on by itself.',
    stopped: 'Every further send would fail. Fix the cause, then resume.',
  },
}
