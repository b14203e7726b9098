// Draws the tables of docs/benchmarks.md from the JSON that script/bench recorded: for each load and
// server the medians of its runs, and the ratio to the bare limit server of the same run.
//
//   node bench/table.mjs build/bench
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const directory = process.argv[2] ?? 'build/bench'
const names = { realtimechat: 'RealTimeChat', live: 'RealTimeChat, room without history', limit: 'bare limit server', rabbitmq: 'RabbitMQ web-stomp' }

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
const loads = {
  A: ['one room, 1,000 readers, one message in flight', traffic, 'server_cpu_us_per_delivery'],
  B: ['one room, 1,000 readers, 32 messages in flight', traffic, 'server_cpu_us_per_delivery'],
  D: ['100 rooms of 10 readers, 10,000 deliveries/s, open loop', traffic, 'latency_p50_us', 'latency_p99_us'],
  E: ['idle sessions', [
    ['sessions', 'sessions', 0],
    ['private bytes a session', 'private_bytes_per_session', 0],
    ['all joined after s', 'join_seconds', 2],
    ['server CPU, % of a core', 'server_cpu_percent', 2],
    ['heart-beats seen', 'heart_beats_received', 0],
  ], 'private_bytes_per_session'],
  P: ['10,000 people join one room, all listening to who comes', [
    ['sessions', 'sessions', 0],
    ['all joined after s', 'join_seconds', 2],
    ['changes heard, in all', 'messages_while_joining', 0],
    ['bytes a listener meanwhile', 'bytes_per_session_while_joining', 0],
  ]],
  F: ['connect, subscribe, leave; 6,000 visits/s, at most 64 at once', [
    ['visits/s', 'visits_per_second', 0],
    ['server CPU µs a visit', 'server_cpu_us_per_visit', 1],
  ], 'server_cpu_us_per_visit'],
  S: ['one room, 500 readers, full load; a stalled reader and one at 1 KB/s beside them, or not', [
    ['deliveries/s', 'deliveries_per_second', 0],
    ['server CPU µs each', 'server_cpu_us_per_delivery', 2],
    ['p50 ms', 'latency_p50_us', 2, 1000],
    ['p99 ms', 'latency_p99_us', 2, 1000],
    ['RSS at most, MiB', 'rss_bytes_max', 1, 2 ** 20],
  ]],
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

const number = (value, decimals) =>
  value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })

// runs[load][server] = the JSON of each run
const runs = {}
for (const file of readdirSync(directory).sort()) {
  const [, load, server] = file.match(/^([A-Z])-(\w+)-\d+\.json$/) ?? []
  if (!load) continue
  const servers = (runs[load] ??= {})
  ;(servers[server] ??= []).push(JSON.parse(readFileSync(join(directory, file), 'utf8')))
}

function row(server, measured, columns, ratioKeys, ruler) {
  const title = names[server] ?? server
  const usable = measured.filter((run) => !run.refused && !run.faulty)
  if (usable.length < measured.length) {
    const why = measured.some((run) => run.faulty) ? 'lost, repeated or disordered' : 'the client was the busy side'
    if (usable.length === 0) return `| ${title} | no figures: ${why} |`
    console.error(`${title}: ${measured.length - usable.length} of ${measured.length} runs left out: ${why}`)
  }
  const of = (from, key) => median(from.map((run) => run[key]))
  const cells = columns.map(([, key, decimals, divisor = 1]) => number(of(usable, key) / divisor, decimals))
  const ratios = ratioKeys.map((key) => (ruler ? number(of(usable, key) / of(ruler, key), 2) : '–'))
  return `| ${[title, ...cells, ...(ratios.length ? [ratios.join(' / ')] : [])].join(' | ')} |`
}

// One run holds both sides: a row each, and what lies between them below.
function sides(run, columns) {
  if (run.refused || run.faulty) return [`| no figures: ${run.faulty ? 'faults' : 'the client was the busy side'} |`]
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

for (const [load, [title, own, ...ratioKeys]] of Object.entries(loads)) {
  if (!runs[load]) continue
  if (load === 'S') {
    console.log(`**${load}: ${title}**\n`)
    console.log(`| | ${own.map(([heading]) => heading).join(' | ')} |\n| --- |${' ---: |'.repeat(own.length)}`)
    console.log(sides(runs[load].realtimechat[0], own).join('\n') + '\n')
    continue
  }
  const columns = load === 'E' || load === 'P' ? own : [...own, ...shares]
  const label = (key) => own.find(([, each]) => each === key)[0]
  console.log(`**${load}: ${title}**\n`)
  const headings = columns.map(([heading]) => heading)
  if (ratioKeys.length) headings.push(`× limit: ${ratioKeys.map(label).join(' / ')}`)
  console.log(`| | ${headings.join(' | ')} |`)
  console.log(`| --- |${' ---: |'.repeat(headings.length)}`)
  const ruler = runs[load].limit?.filter((run) => !run.refused && !run.faulty)
  for (const server of Object.keys(names)) {
    if (runs[load][server]) {
      console.log(row(server, runs[load][server], columns, ratioKeys, ruler?.length ? ruler : undefined))
    }
  }
  console.log()
}
