// Draws the plots of docs/benchmarks.md from the JSON that script/bench recorded, one SVG for each
// question that the recorded loads answer, and says which.
//
//   node bench/plot.mjs build/bench docs/images
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { circumstances, figure, fit, readRuns, servers, usable } from './runs.mjs'
import { bar, decadeLines, left, line, logAxis, right, round, rowHeight, short, spread, steps, svg, text, width } from './svg.mjs'

const [from = 'build/bench', to = 'docs/images'] = process.argv.slice(2)
const runs = readRuns(from)

// A panel for each load that has figures: a row for each server, drawn by `row`, over one axis.
function panels(title, wanted, { keys, divisor, label, row, legend = [] }) {
  const found = wanted
    .map(([load, name]) => {
      const rows = Object.keys(servers)
        .map((server) => ({ server, values: keys.map((key) => figure(runs[load]?.[server], key) / divisor) }))
        .filter(({ values }) => values.every((value) => value > 0))
      return { name, rows }
    })
    .filter(({ rows }) => rows.length > 0)
  if (found.length === 0) return undefined
  const axis = logAxis(found.flatMap(({ rows }) => rows.flatMap(({ values }) => values)))
  const parts = legend.length > 0 ? [text(16, 48, legend)] : []
  let y = legend.length > 0 ? 64 : 46
  for (const { name, rows } of found) {
    parts.push(text(16, y + 14, name, { kind: 'panel' }))
    const top = y + 24
    const bottom = top + rows.length * rowHeight
    parts.push(...decadeLines(axis, top, bottom))
    rows.forEach(({ server, values }, i) => {
      const middle = top + (i + 0.5) * rowHeight
      parts.push(text(left - 10, middle + 4, servers[server], { anchor: 'end' }))
      parts.push(...row(axis, middle, values, server === 'realtimechat' || server === 'live' ? 'own' : 'other'))
    })
    y = bottom + 26
  }
  parts.push(text((left + width - right) / 2, y + 6, label, { anchor: 'middle' }))
  return svg(title, y + 14, parts, circumstances(from))
}

function soak() {
  const run = usable(runs.I?.realtimechat)[0]
  if (run === undefined || run.samples.length < 2) return undefined
  const points = run.samples.map(([at, bytes]) => [at / 60, bytes / 2 ** 20])
  const [x0, y0, x1, y1] = [70, 50, width - 30, 300]
  const end = points.at(-1)[0]
  const top = Math.max(...points.map(([, mib]) => mib)) * 1.1
  const x = (minutes) => x0 + (minutes / end) * (x1 - x0)
  const y = (mib) => y1 - (mib / top) * (y1 - y0)
  const warm = run.warm_up_seconds / 60
  const trend = fit(points.filter(([at]) => at >= warm))
  const parts = [`<rect x="${x0}" y="${y0}" width="${round(x(warm) - x0)}" height="${y1 - y0}" class="shade"/>`]
  for (const mib of steps(0, top)) {
    parts.push(line(x0, y(mib), x1, y(mib), 'grid'), text(x0 - 8, y(mib) + 4, short(mib), { anchor: 'end', kind: 'small' }))
  }
  for (const minutes of steps(0, end)) {
    parts.push(text(x(minutes), y1 + 16, short(minutes), { anchor: 'middle', kind: 'small' }))
  }
  const path = points.map(([at, mib], i) => `${i === 0 ? 'M' : 'L'}${round(x(at))} ${round(y(mib))}`).join('')
  parts.push(
    `<path d="${path}" class="line own-line"/>`,
    line(x(warm), y(trend.at(warm)), x(end), y(trend.at(end)), 'line fit dashed'),
    text(x0 + 6, y1 - 8, 'warm-up', { kind: 'small' }),
    text((x0 + x1) / 2, y1 + 36, 'minutes of everything at once', { anchor: 'middle' }),
    text(16, 44, 'resident memory, MiB'),
    text(x1, 44, `dashed: ${(trend.slope * 60).toFixed(2)} MiB an hour`, { anchor: 'end' }),
  )
  return svg('Soak: memory of the server over time', y1 + 44, parts, circumstances(from))
}

const plots = {
  'bench-cpu.svg': panels(
    'CPU of the server per delivery: less is better',
    [
      ['A', 'A: one room of 1,000, one message in flight'],
      ['B', 'B: one room of 1,000, 32 in flight'],
      ['C', 'C: 100 rooms of 10, everyone writes, four in flight each'],
    ],
    { keys: ['server_cpu_us_per_delivery'], divisor: 1, label: 'microseconds a delivery (logarithmic)', row: bar },
  ),
  'bench-latency.svg': panels(
    'Latency at a fixed rate: less is better',
    [['D10', 'D: 10,000 deliveries/s'], ['D50', 'D: 50,000 deliveries/s']],
    {
      keys: ['latency_p50_us', 'latency_p99_us', 'latency_p99_9_us'],
      divisor: 1000,
      label: 'milliseconds from when it was due to when it was read (logarithmic)',
      legend: 'disc p50, square p99, bar p99.9',
      row: spread,
    },
  ),
  'bench-memory.svg': panels(
    'User memory of an idle session: less is better',
    [['E10', 'E: 10,000 sessions'], ['E19', 'E: 19,000 sessions']],
    { keys: ['private_bytes_per_session'], divisor: 1, label: 'bytes a session (logarithmic)', row: bar },
  ),
  'bench-soak.svg': soak(),
}

mkdirSync(to, { recursive: true })
for (const [name, drawn] of Object.entries(plots)) {
  if (drawn === undefined) continue
  writeFileSync(join(to, name), drawn)
  console.log(`plot: ${join(to, name)}`)
}
