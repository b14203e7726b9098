// Draws the plots of docs/benchmarks.md from the JSON that script/bench recorded, one SVG for each
// question that the recorded loads answer, and says which.
//
//   node bench/plot.mjs build/bench docs/images
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { circumstances, figure, fit, readRuns, servers, usable } from './runs.mjs'

const [from = 'build/bench', to = 'docs/images'] = process.argv.slice(2)
const runs = readRuns(from)

const width = 860
const left = 300 // where the axis begins: the names of the servers stand before it
const right = 130 // for the values behind the longest bar
const rowHeight = 26

// Readable on white and on black: the reader's preference decides, the ground comes along.
const style = `
  .ground { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif }
  .title { font-size: 16px; font-weight: 600 } .panel { font-weight: 600 } .small { font-size: 11px }
  .grid { stroke: #d1d9e0; stroke-width: 1 } .own { fill: #0b6bcb } .other { fill: #9aa4ae }
  .own-line { stroke: #0b6bcb } .other-line { stroke: #9aa4ae } .fit { stroke: #b35900 } .shade { fill: #eef1f4 }
  .line { fill: none; stroke-width: 2 } .dashed { stroke-dasharray: 6 4 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d } .own { fill: #58a6ff }
    .other { fill: #7d8590 } .own-line { stroke: #58a6ff } .other-line { stroke: #7d8590 } .fit { stroke: #e3a008 }
    .shade { fill: #1b222b }
  }`

const escaped = (text) => String(text).replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`)
const text = (x, y, words, { anchor = 'start', kind = '' } = {}) =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${kind && ` class="${kind}"`}>${escaped(words)}</text>`
const round = (value) => Number(value.toFixed(1))
const line = (x1, y1, x2, y2, kind) =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" class="${kind}"/>`
const short = (value) =>
  value.toLocaleString('en-US', value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 })

function svg(title, height, parts) {
  const sentences = circumstances(from)
  const captions = [sentences.slice(0, 2), sentences.slice(2)].map((part) => part.join(' '))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + 56}" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title><style>${style}</style>`,
    `<rect class="ground" width="100%" height="100%"/>`,
    text(16, 28, title, { kind: 'title' }),
    ...parts,
    ...captions.map((caption, i) => text(16, height + 26 + 16 * i, caption, { kind: 'small' })),
    '</svg>\n',
  ].join('\n')
}

// A logarithmic axis over whole decades around the values.
function logAxis(values) {
  const low = Math.floor(Math.log10(Math.min(...values)) - 1e-9)
  const high = Math.max(Math.ceil(Math.log10(Math.max(...values)) - 1e-9), low + 1)
  const at = (value) => left + ((Math.log10(value) - low) / (high - low)) * (width - left - right)
  const decades = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i))
  return { at, decades, begin: 10 ** low }
}

function decadeLines(axis, top, bottom) {
  return axis.decades.flatMap((value) => [
    line(axis.at(value), top, axis.at(value), bottom, 'grid'),
    text(axis.at(value), bottom + 15, short(value), { anchor: 'middle', kind: 'small' }),
  ])
}

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
  return svg(title, y + 14, parts)
}

function bar(axis, middle, [value], kind) {
  const end = axis.at(value)
  return [
    `<rect x="${left}" y="${round(middle - 8)}" width="${round(Math.max(end - left, 1))}" height="16" class="${kind}"/>`,
    text(end + 6, middle + 4, short(value), { kind: 'small' }),
  ]
}

// From p50 (a disc) over p99 (a square) to p99.9 (a bar across).
function spread(axis, middle, [p50, p99, p999], kind) {
  const [a, b, c] = [p50, p99, p999].map(axis.at)
  return [
    line(a, middle, c, middle, `line ${kind}-line`),
    `<circle cx="${round(a)}" cy="${round(middle)}" r="5" class="${kind}"/>`,
    `<rect x="${round(b - 4.5)}" y="${round(middle - 4.5)}" width="9" height="9" class="${kind}"/>`,
    line(c, middle - 7, c, middle + 7, `line ${kind}-line`),
    text(c + 8, middle + 4, [p50, p99, p999].map(short).join(' / '), { kind: 'small' }),
  ]
}

// Steps of 1, 2 or 5 times a power of ten: some five of them.
function steps(low, high) {
  const rough = (high - low) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough)
  const all = []
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-9); ++i) all.push(Number((i * step).toPrecision(6)))
  return all
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
  return svg('Soak: memory of the server over time', y1 + 44, parts)
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
