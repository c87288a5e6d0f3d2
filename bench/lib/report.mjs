import { median, ratios } from './rounds.mjs'

/**
 * One benchmark's results as rows: of each contender and metric its median, and its ratio to the reference of the same
 * round with the spread.
 */
export function summarize({ id, title, reference, metrics }, found, ours = 'express-ppoppo') {
  const rows = Object.entries(metrics).map(([metric, { label, unit = '', absolute = false, goal }]) => {
    const relative = absolute ? {} : ratios(found, metric, reference)
    const contenders = Object.fromEntries(
      Object.entries(found)
        .filter(([, values]) => values[metric])
        .map(([name, values]) => [name, { median: median(values[metric]), ...relative[name] }]),
    )
    const own = contenders[ours]
    const judged = own && (absolute ? own.median : own.ratio)
    return { metric, label, unit, absolute, contenders, ...(goal && own ? { goal, isMet: isMet(goal, judged) } : {}) }
  })
  return { id, title, reference, rows }
}

function isMet({ most, least }, value) {
  return (most === undefined || value <= most) && (least === undefined || value >= least)
}

/** A benchmark's results as a Markdown table. */
export function toMarkdown({ id, title, reference, rows }) {
  const names = [...new Set(rows.flatMap(({ contenders }) => Object.keys(contenders)))]
  const lines = [
    `### ${id}: ${title}`,
    '',
    `| | ${names.join(' | ')} | goal |`,
    `|---|${names.map(() => '---').join('|')}|---|`,
    ...rows.map((row) => {
      const cells = names.map((name) => cellOf(row, row.contenders[name], name === reference))
      return `| ${row.label} | ${cells.join(' | ')} | ${goalOf(row)} |`
    }),
  ]
  return lines.join('\n')
}

/** Every goal and what was measured, as one Markdown table. */
export function toGoals(results, ours = 'express-ppoppo') {
  const rows = results.flatMap(({ id, title, reference, rows }) =>
    rows
      .filter(({ goal }) => goal)
      .map((row) => {
        const own = row.contenders[ours]
        const measured = row.absolute
          ? `${format(own.median)} ${row.unit}`.trim()
          : `${own.ratio.toFixed(2)} ±${Math.round(own.spread * 100)} % of ${reference}`
        return `| ${id} | ${title}: ${row.label} | ${measured} | ${goalOf(row)} |`
      }),
  )
  return ['| | | express-ppoppo | goal |', '|---|---|---|---|', ...rows].join('\n')
}

function cellOf({ absolute, unit }, cell, isReference) {
  if (!cell) return ''
  const value = `${format(cell.median)}${unit === '' ? '' : ` ${unit}`}`
  if (absolute) return value
  if (isReference) return `1.00 (${value})`
  return `${cell.ratio.toFixed(2)} ±${Math.round(cell.spread * 100)} % (${value})`
}

function goalOf({ goal, isMet }) {
  if (!goal) return ''
  const bound = goal.most === undefined ? `>= ${goal.least}` : `<= ${goal.most}`
  return `${bound}: ${isMet ? 'met' : '**not met**'}`
}

function format(value) {
  if (value >= 1_000) return Math.round(value).toLocaleString('en')
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2)
}
