import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { METRICS, type Metric } from '../../src/observability/metrics.js'

const dashboard = readFileSync(new URL('../../docs/grafana-dashboard.json', import.meta.url), 'utf8')
const page = readFileSync(new URL('../../docs/observability.md', import.meta.url), 'utf8')

/** As an OpenTelemetry exporter for Prometheus names it: the unit, then what the kind adds. */
function prometheusNames([name, { kind, unit }]: [string, Metric]): readonly string[] {
  const base = name.replaceAll('.', '_')
  if (kind === 'counter') return [`${base}_total`]
  const withUnit = unit === 's' ? `${base}_seconds` : base
  return ['_bucket', '_count', '_sum'].map((suffix) => withUnit + suffix)
}

function expressionsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'expr' && typeof inner === 'string' ? [inner] : expressionsIn(inner),
  )
}

const expressions = expressionsIn(JSON.parse(dashboard))
const asked = new Set(expressions.flatMap((expression) => expression.match(/[a-z_]+(?=\[)/g) ?? []))

test('every query of the dashboard names a metric that exists, and every metric is on it', () => {
  const known = Object.entries(METRICS).map(prometheusNames)
  expect(expressions.length).toBeGreaterThan(0)
  for (const expression of expressions) expect(expression).toMatch(/[a-z_]+\[/)
  for (const name of asked) expect(known.flat()).toContain(name)
  for (const names of known) expect(names.some((name) => asked.has(name))).toBe(true)
})

test('the page has a row for each metric', () => {
  const rows = [...page.matchAll(/^\| `((?:ppoppo|rpc)\.[\w.]+)` \| (\w+)/gm)].map(([, name, kind]) => [name, kind])
  expect(rows).toEqual(Object.entries(METRICS).map(([name, { kind }]) => [name, kind]))
})
