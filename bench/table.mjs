// Draws the tables of docs/benchmarks.md from the JSON that script/bench recorded: for each load and
// server the medians of its runs, and the ratio to a limit server of the same run.
//
//   node bench/table.mjs build/bench
import { circumstances, figure, objection, readRuns, servers, usable } from './runs.mjs'

const directory = process.argv[2] ?? 'build/bench'

const traffic = [
  ['deliveries/s', 'deliveries_per_second', 0],
  ['server CPU µs each', 'server_cpu_us_per_delivery', 2],
  ['p50 ms', 'latency_p50_us', 2, 1000],
  ['p99 ms', 'latency_p99_us', 2, 1000],
  ['p99.9 ms', 'latency_p99_9_us', 2, 1000],
  ['bytes each', 'bytes_per_delivery', 0],
]
const shares = [
  ['server, % of a core', 'server_cpu_percent', 0],
  ['client', 'client_cpu_percent', 0],
  ['others', 'others_cpu_percent', 0],
]
const idle = [
  ['sessions', 'sessions', 0],
  ['private bytes a session', 'private_bytes_per_session', 0],
  ['all joined after s', 'join_seconds', 2],
  ['server CPU, % of a core', 'server_cpu_percent', 2],
  ['heart-beats seen', 'heart_beats_received', 0],
]
// `ruler`: the server that the figures of `ratios` are divided by.
const loads = {
  A: {
    title: 'one room, 1,000 readers, one message in flight',
    columns: [...traffic, ...shares],
    ruler: 'limit',
    ratios: ['server_cpu_us_per_delivery'],
  },
  B: {
    title: 'one room, 1,000 readers, 32 messages in flight',
    columns: [...traffic, ...shares],
    ruler: 'limit_gather',
    ratios: ['deliveries_per_second', 'server_cpu_us_per_delivery'],
  },
  C: {
    title: '100 rooms of 10, everyone writes, four messages in flight each',
    columns: [...traffic, ...shares],
    ruler: 'limit_gather',
    ratios: ['deliveries_per_second', 'server_cpu_us_per_delivery'],
  },
  D10: {
    title: '100 rooms of 10 readers, 10,000 deliveries/s, open loop',
    columns: [...traffic, ...shares],
    ruler: 'limit',
    ratios: ['latency_p50_us', 'latency_p99_us'],
  },
  D50: {
    title: '100 rooms of 10 readers, 50,000 deliveries/s, open loop',
    columns: [...traffic, ...shares],
    ruler: 'limit',
    ratios: ['latency_p50_us', 'latency_p99_us'],
  },
  E10: { title: '10,000 idle sessions', columns: idle, ruler: 'limit', ratios: ['private_bytes_per_session', 'server_cpu_percent'] },
  E19: { title: '19,000 idle sessions', columns: idle, ruler: 'limit', ratios: ['private_bytes_per_session', 'server_cpu_percent'] },
  F: {
    title: 'connect, subscribe, leave; 4,000 visits/s, at most 64 at once',
    columns: [['visits/s', 'visits_per_second', 0], ['server CPU µs a visit', 'server_cpu_us_per_visit', 1], ...shares],
    ruler: 'limit',
    ratios: ['server_cpu_us_per_visit'],
  },
  G: {
    title: '19,000 readers of one room, one message a second',
    columns: [
      ['messages', 'messages', 0],
      ['last reader: p50 ms', 'last_reader_p50_us', 1, 1000],
      ['last reader: p99 ms', 'last_reader_p99_us', 1, 1000],
      ['any reader: p50 ms', 'latency_p50_us', 1, 1000],
      ['server CPU µs a delivery', 'server_cpu_us_per_delivery', 2],
      ...shares,
    ],
    ruler: 'limit',
    ratios: ['last_reader_p50_us', 'server_cpu_us_per_delivery'],
  },
  H: {
    title: 'the store alone: 1,024 messages a commit, into a young database and into a full one',
    columns: [
      ['messages/s', 'messages_per_second', 0],
      ['CPU µs each', 'cpu_us_per_message', 2],
      ['commit: p50 ms', 'commit_p50_ms', 2],
      ['p99 ms', 'commit_p99_ms', 2],
      ['max ms', 'commit_max_ms', 1],
    ],
  },
  I: {
    title: 'all at once: memory over time',
    columns: [
      ['minutes', 'seconds', 1, 60],
      ['sessions', 'sessions', 0],
      ['deliveries/s', 'deliveries_per_second', 0],
      ['visits/s', 'visits_per_second', 0],
      ['pages/s', 'pages_per_second', 0],
      ['p99 ms', 'latency_p99_us', 2, 1000],
      ['RSS MiB, first quarter', 'rss_bytes_first_quarter', 1, 2 ** 20],
      ['last quarter', 'rss_bytes_last_quarter', 1, 2 ** 20],
      ['slope, MiB/h', 'rss_slope_bytes_per_hour', 2, 2 ** 20],
      ['server, % of a core', 'server_cpu_percent', 0],
    ],
  },
  P: {
    title: '10,000 people join one room, all listening to who comes',
    columns: [
      ['sessions', 'sessions', 0],
      ['all joined after s', 'join_seconds', 2],
      ['changes heard, in all', 'messages_while_joining', 0],
      ['bytes a listener meanwhile', 'bytes_per_session_while_joining', 0],
    ],
  },
  R: {
    title: '1,000 talk, 10,000 deliveries/s; 18,000 others come in one moment',
    columns: [
      ['half in after ms', 'joined_p50_ms', 0],
      ['all in after ms', 'joined_all_ms', 0],
      ['server CPU µs each', 'server_cpu_us_per_newcomer', 1],
      ['the 1,000 before: p50 ms', 'latency_p50_ms_before', 2],
      ['p99 ms', 'latency_p99_ms_before', 2],
      ['meanwhile: p50 ms', 'latency_p50_ms_meanwhile', 1],
      ['p99 ms', 'latency_p99_ms_meanwhile', 1],
      ['max ms', 'latency_max_ms_meanwhile', 1],
      ...shares,
    ],
    ruler: 'limit',
    ratios: ['joined_all_ms', 'latency_p99_ms_meanwhile'],
  },
  S: {
    title: 'one room, 500 readers, full load; a stalled reader and one at 1 KB/s beside them, or not',
    columns: [
      ['deliveries/s', 'deliveries_per_second', 0],
      ['server CPU µs each', 'server_cpu_us_per_delivery', 2],
      ['p50 ms', 'latency_p50_us', 2, 1000],
      ['p99 ms', 'latency_p99_us', 2, 1000],
      ['RSS at most, MiB', 'rss_bytes_max', 1, 2 ** 20],
    ],
  },
}

const number = (value, decimals) =>
  value === undefined
    ? '–'
    : value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })

function row(title, measured, { columns, ratios = [] }, ruler) {
  const good = usable(measured)
  if (good.length < measured.length) {
    const why = objection(measured.find((run) => objection(run)))
    if (good.length === 0) return `| ${title} | no figures: ${why} |`
    console.error(`${title}: ${measured.length - good.length} of ${measured.length} runs left out: ${why}`)
  }
  const scaled = (key, divisor) => {
    const value = figure(measured, key)
    return value === undefined ? undefined : value / divisor
  }
  const cells = columns.map(([, key, decimals, divisor = 1]) => number(scaled(key, divisor), decimals))
  const quotients = ratios.map((key) => {
    const [own, other] = [figure(measured, key), figure(ruler, key)]
    return number(own === undefined || !other ? undefined : own / other, 2)
  })
  return `| ${[title, ...cells, ...(ratios.length ? [quotients.join(' / ')] : [])].join(' | ')} |`
}

// One run holds both sides: a row each, and what lies between them below.
function sides(run, columns) {
  if (objection(run)) return [`| no figures: ${objection(run)} |`]
  const cells = (side) => columns.map(([, key, decimals, divisor = 1]) => number(run[`${key}_${side}`] / divisor, decimals))
  const mib = (key) => number(run[key] / 2 ** 20, 1)
  return [
    `| without | ${cells('without').join(' | ')} |`,
    `| with | ${cells('with').join(' | ')} |\n`,
    `p99 with / without: ${number(run.p99_ratio_pooled, 2)} pooled; of ${run.pairs} pairs of ${run.window_seconds} s the median ` +
      `${number(run.p99_ratio_median, 2)}, quartiles ${number(run.p99_ratio_quarter, 2)} and ${number(run.p99_ratio_three_quarters, 2)}. ` +
      `p50: ${number(run.p50_ratio_pooled, 2)} pooled. ` +
      `RSS after the first pair ${mib('rss_bytes_after_first_pair')} MiB, at the end ${mib('rss_bytes_end')}. ` +
      `Slow readers cut: ${run.slow_consumers_after - run.slow_consumers_before}. ` +
      `Server ${number(run.server_cpu_percent, 0)} % of a core, client ${number(run.client_cpu_percent, 0)}, others ${number(run.others_cpu_percent, 0)}.`,
  ]
}

// Databases and plain files in one run: the ratio is to the same bytes in a plain file.
function stores(run, columns) {
  if (objection(run)) return [`| no figures: ${objection(run)} |`]
  const rows = (name) => number(run.rows, 0) + ` rows, ${name}`
  const line = (title, of, ruler) => {
    const cells = columns.map(([, key, decimals]) => number(run[`${key}_${of}`], decimals))
    const ratio = ruler ? number(run[`messages_per_second_${of}`] / run[`messages_per_second_${ruler}`], 2) : '1.00'
    return `| ${[title, ...cells, ratio].join(' | ')} |`
  }
  return [
    line('young, `fsync`', 'young_fsync', 'plain_fsync'),
    line(rows('`fsync`'), 'full_fsync', 'plain_fsync'),
    line('plain file, write + fdatasync', 'plain_fsync'),
    line('young, `commit`', 'young_commit', 'plain_commit'),
    line(rows('`commit`'), 'full_commit', 'plain_commit'),
    line('plain file, write', 'plain_commit') + '\n',
    `Pages of ${run.page_size} in ${number(run.rows, 0)} rows: at any depth p50 ${number(run.page_p50_us_any_depth, 1)} µs, ` +
      `p99 ${number(run.page_p99_us_any_depth, 1)}; the newest p50 ${number(run.page_p50_us_newest, 1)}, ` +
      `p99 ${number(run.page_p99_us_newest, 1)}, from memory p50 ${number(run.page_p50_us_newest_memory, 1)}, ` +
      `p99 ${number(run.page_p99_us_newest_memory, 1)}. ${run.rooms} rooms, texts of ${run.text_bytes} bytes.`,
  ]
}

// Whether the memory of the soak stayed where it was.
function verdict(run) {
  if (objection(run)) return []
  return [
    `\nMemory ${run.flat ? 'is flat' : 'is NOT flat'}: the last quarter's median is ` +
      `${number((run.rss_bytes_last_quarter / run.rss_bytes_first_quarter - 1) * 100, 2)} % over the first's ` +
      `(flat: at most ${run.flat_percent} %), after ${number(run.warm_up_seconds / 60, 1)} minutes of warm-up.`,
  ]
}

const runs = readRuns(directory)
console.log(`${circumstances(directory).join(' ')}\n`)
for (const [load, shape] of Object.entries(loads)) {
  if (!runs[load]) continue
  const { title, columns, ruler, ratios = [] } = shape
  console.log(`**${load}: ${title}**\n`)
  const headings = columns.map(([heading]) => heading)
  if (load === 'H') headings.push('× plain file: messages/s')
  const label = (key) => columns.find(([, each]) => each === key)[0]
  if (ratios.length) headings.push(`× ${ruler.replace('_', '-')}: ${ratios.map(label).join(' / ')}`)
  console.log(`| | ${headings.join(' | ')} |\n| --- |${' ---: |'.repeat(headings.length)}`)
  if (load === 'S') {
    console.log(`${sides(runs.S.realtimechat[0], columns).join('\n')}\n`)
    continue
  }
  if (load === 'H') {
    console.log(`${stores(runs.H.realtimechat[0], columns).join('\n')}\n`)
    continue
  }
  for (const [server, name] of Object.entries(servers)) {
    if (runs[load][server]) console.log(row(name, runs[load][server], shape, runs[load][ruler]))
  }
  if (load === 'I') for (const run of runs.I.realtimechat) console.log(verdict(run).join(''))
  console.log()
}
