// Fills the tables of docs/connection-cost.md with what script/bench cost recorded, between its marks
// <!-- recorded: NAME --> and <!-- end -->, and draws its plots.
//
//   node bench/cost.mjs build/bench-cost docs/connection-cost.md docs/images
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { circumstances, median, objection } from './runs.mjs'
import { bar, decadeLines, left, line, logAxis, right, round, rowHeight, short, spread, steps, svg, text, width } from './svg.mjs'

const [from = 'build/bench-cost', page = 'docs/connection-cost.md', images = 'docs/images'] = process.argv.slice(2)
const readJson = (file) => JSON.parse(readFileSync(join(from, file), 'utf8') || '{"failed":"it was broken off"}')

// As script/bench names them, in the order of every table and plot; `sockets` a user holds, both ends.
const ways = {
  poll_short: { name: 'poll, 1 s', sockets: 2 },
  poll_long: { name: 'poll, 5 s', sockets: 2 },
  poll_long_new: { name: 'poll, 5 s, new connection each', sockets: 0 },
  xhr: { name: 'long poll (xhr)', sockets: 2 },
  xhr_streaming: { name: 'stream (xhr-streaming)', sockets: 2 },
  eventsource: { name: 'stream (eventsource)', sockets: 2 },
  websocket: { name: 'WebSocket', sockets: 2 },
}

const runs = {} // [users][rate][way]
const settings = {}
for (const file of readdirSync(from).sort()) {
  const [, way, users, rate] = file.match(/^carry-(\w+)-(\d+)-(\d+)\.json$/) ?? []
  const [, setting] = file.match(/^setting-(\w+)\.json$/) ?? []
  if (way) ((runs[users] ??= {})[rate] ??= {})[way] = readJson(file)
  if (setting) settings[setting] = readJson(file)
}
const sizes = Object.keys(runs).map(Number).sort((a, b) => a - b)
const rates = [...new Set(sizes.flatMap((users) => Object.keys(runs[users]).map(Number)))].sort((a, b) => a - b)
const typical = sizes.includes(1000) ? 1000 : sizes.at(-1) // whose rows are shown in full
const largest = sizes.at(-1)
const all = sizes.flatMap((users) => Object.values(runs[users]).flatMap((of) => Object.values(of)))

const good = (run) => run !== undefined && objection(run) === undefined
const value = (run, key) => (good(run) ? run[key] : undefined)
const number = (figure, digits = 3) =>
  figure === undefined
    ? '–'
    : figure.toLocaleString('en-US', Math.abs(figure) >= 10 ** digits ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: digits })
const ms = (run, key) => (value(run, 'seen') > 0 ? number(run[key] / 1000) : '–')
const count = (figure) => figure.toLocaleString('en-US')
const rateName = (rate) => (rate === 0 ? 'silence' : `${count(rate)} message${rate === 1 ? '' : 's'}/s in a room`)
const table = (headings, rows) =>
  [`| ${headings.join(' | ')} |`, `| --- |${' ---: |'.repeat(headings.length - 1)}`, ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n')

// Less was seen than was written, or fewer polls were answered than were due: the server had not the core
// that it needed, or needs more than one.
const behind = (run) =>
  value(run, 'seen_per_user_second') < 0.9 * value(run, 'messages_per_room_second') ||
  value(run, 'requests_per_user_second') * value(run, 'poll_seconds') < 0.9
const mark = (run) => (run?.server_cpu_percent > 90 ? ' (full)' : behind(run) ? ' (behind)' : '')
const cpu = (run) => value(run, 'server_cpu_us_per_user_second')
const bytes = (run) => (good(run) ? run.bytes_to_server_per_user_second + run.bytes_to_user_per_user_second : undefined)

// --- memory: what the kernel keeps counts only where no stranger's sockets came or went meanwhile ---

function footprint(way, users) {
  const of = rates.map((rate) => runs[users]?.[rate]?.[way]).filter(good)
  const quiet = of.filter((run) => Math.abs(run.sockets_per_user - ways[way].sockets) < 0.05)
  const of_all = (list, key) => (list.length > 0 ? median(list.map((run) => run[key])) : undefined)
  return {
    user: of_all(of, 'private_bytes_per_user'),
    kernel: of_all(quiet, 'kernel_slab_bytes_per_user'),
    buffers: of_all(quiet, 'kernel_buffer_bytes_per_user'),
    quiet: quiet.length,
  }
}

// --- tables ---------------------------------------------------------------------------------------

function noise() {
  const shares = all.filter((run) => run.others_cpu_percent !== undefined).map((run) => run.others_cpu_percent)
  if (shares.length === 0) return []
  const [low, high] = [Math.min(...shares), Math.max(...shares)]
  return [
    `Others used ${number(median(shares))} % of a core meanwhile (median; ${number(low)} to ${number(high)}): the noise.`,
    ...(median(shares) > 20 ? ['That is a busy machine: trust counts of requests and bytes, and gaps of twice in CPU; not the delays.'] : []),
  ]
}

function everything() {
  return rates
    .map((rate) => {
      const rows = Object.entries(ways).map(([way, { name }]) => {
        const run = runs[typical]?.[rate]?.[way]
        if (!run) return [name, '–', '–', '–', '–', '–', '–', '–', '–']
        if (!good(run)) return [`${name}: no figures, ${objection(run)}`, '', '', '', '', '', '', '', '']
        return [
          name, number(run.requests_per_user_second), number(run.bytes_to_server_per_user_second),
          number(run.bytes_to_user_per_user_second), load(run), ms(run, 'delay_p50_us'), ms(run, 'delay_p99_us'),
          count(run.lost), number(run.others_cpu_percent),
        ]
      })
      const headings = ['', 'requests/s', 'bytes/s to the server', 'bytes/s to the user', 'server CPU, µs/s', 'seen after: p50 ms', 'p99 ms', 'lost', 'others, % of a core']
      return `**${count(typical)} users, ${rateName(rate)}** (each figure is of one user)\n\n${table(headings, rows)}`
    })
    .join('\n\n')
}

function bySize(title, cell, shown = rates) {
  return shown
    .map((rate) => {
      const rows = Object.entries(ways).map(([way, { name }]) => [name, ...sizes.map((users) => cell(runs[users]?.[rate]?.[way]))])
      return `**${title}: ${rateName(rate)}**\n\n${table(['users', ...sizes.map(count)], rows)}`
    })
    .join('\n\n')
}

const load = (run) => (good(run) ? number(cpu(run)) + mark(run) : '–')
const delay = (run) => (value(run, 'seen') > 0 ? `${number(run.delay_p50_us / 1000)} / ${number(run.delay_p99_us / 1000)}${mark(run)}` : '–')

function memory() {
  const shown = sizes.filter((users) => users >= 1000)
  const used = shown.length > 0 ? shown : [largest]
  const headings = ['', ...used.flatMap((users) => [`${count(users)}: user`, 'kernel', 'of it buffers'])]
  const rows = Object.entries(ways).map(([way, { name }]) => [
    name,
    ...used.flatMap((users) => {
      const { user, kernel, buffers } = footprint(way, users)
      return [number(user), kernel === undefined ? '–' : number(kernel + buffers), number(buffers)]
    }),
  ])
  return `Bytes a user; the median over the rates. "–": somebody else's sockets came or went meanwhile.\n\n${table(headings, rows)}`
}

// From where on polling costs the server less CPU than the WebSocket does, between the measured rates.
function crossover() {
  const rows = ['poll_short', 'poll_long', 'poll_long_new', 'xhr'].map((way) => {
    const gaps = rates.map((rate) => [rate, cpu(runs[typical]?.[rate]?.[way]) - cpu(runs[typical]?.[rate]?.websocket)])
      .filter(([, gap]) => Number.isFinite(gap))
    let where = gaps.length === 0 ? '–' : gaps.every(([, gap]) => gap > 0) ? `never, up to ${count(gaps.at(-1)[0])} a second` : gaps[0][1] <= 0 ? 'always' : ''
    for (let i = 1; i < gaps.length && where === ''; ++i) {
      const [[a, above], [b, below]] = [gaps[i - 1], gaps[i]]
      if (above > 0 && below <= 0) where = `from about ${number(a + (above / (above - below)) * (b - a), 2)} a second`
    }
    const requests = value(runs[typical]?.[0]?.[way], 'requests_per_user_second')
    return [ways[way].name, number(requests), where]
  })
  return table([`${count(typical)} users`, 'requests/s in silence', 'less server CPU than WebSocket'], rows)
}

function settingRows() {
  const per = (run, key) => (good(run) && run[key] > 0 ? cpu(run) / run[key] : undefined)
  const beat = (name) => cpu(settings[name])
  const s = settings
  const difference = (a, b, f) => (good(a) && good(b) ? `${number(f(a))} instead of ${number(f(b))}` : '–')
  return table(['setting', 'measured', 'result'], [
    ['`heart_beat_interval` 1 s, WebSocket, silence', 'CPU of a user a second, µs: a beat sent, 1.25 received', number(beat('heart_beat'))],
    ['`heart_beat_interval` 1 s, long poll, silence', 'the same; each beat ends a poll, each of the client is a request', number(beat('heart_beat_xhr'))],
    ['`sockjs_heart_beat_interval` 1 s, long poll, silence', 'an `h`, and the next poll', number(beat('sockjs_heart_beat'))],
    ['`ping_interval` 1 s, WebSocket without heart-beats', 'a Ping and its Pong', number(beat('ping'))],
    ['`sockjs_response_bytes_max` 4 KiB instead of 128 KiB', 'requests of a user a second', difference(s.stream_4k, s.stream, (run) => run.requests_per_user_second)],
    ['', 'CPU of a message seen, µs', difference(s.stream_4k, s.stream, (run) => per(run, 'seen_per_user_second'))],
    ['a room with `"history": false`', 'CPU of a message seen, µs', difference(s.no_history, s.none, (run) => per(run, 'seen_per_user_second'))],
    ['`durability` `fsync` instead of `commit`', 'seen after, p50 ms', difference(s.fsync, s.none, (run) => run.delay_p50_us / 1000)],
    ['', 'CPU of a message seen, µs', difference(s.fsync, s.none, (run) => per(run, 'seen_per_user_second'))],
    ['texts of 1,024 bytes instead of 128', 'CPU of a message seen, µs', difference(s.long_text, s.none, (run) => per(run, 'seen_per_user_second'))],
  ])
}

function tokens() {
  const t = existsSync(join(from, 'tokens.json')) ? readJson('tokens.json') : {}
  const row = (name, memory, check, note) => [name, memory, check, note]
  return table([`${count(t.sessions ?? 0)} sessions`, 'bytes a session, in the server', 'CPU µs to know who asks', ''], [
    row(`JWT of ${number(t.jwt_bytes)} bytes, HS256`, '0', number(t.jwt_check_us), 'any server that has the secret can do it'),
    row('hash map in the process', number(t.map_bytes_per_session), number(t.map_look_up_us), 'gone at a restart; one server only'),
    row('SQLite, prepared SELECT', `${number(t.sqlite_bytes_per_session)} on disk`, number(t.sqlite_look_up_us), 'the row as JSON, not yet parsed'),
    ...(t.redis_look_up_us
      ? [row('Redis on the same machine, GET', `${number(t.redis_bytes_per_session)} in Redis`,
        `${number(t.redis_look_up_us)} + ${number(t.redis_own_us)} of Redis`, `and the answer comes after ${number(t.redis_wait_p50_us)} µs (p50)`)]
      : []),
  ])
}

// --- plots ----------------------------------------------------------------------------------------

const sentences = [...circumstances(from).slice(0, 2), ...noise().slice(0, 1)]
const kind = (way) => (way === 'websocket' ? 'own' : 'other')

// A panel for each of the rates, a row for each way.
function panels(title, label, wanted, values, row, legend) {
  const found = wanted
    .map((rate) => ({
      name: `${count(typical)} users, ${rateName(rate)}`,
      rows: Object.keys(ways)
        .map((way) => ({ way, figures: values(runs[typical]?.[rate]?.[way]) }))
        .filter(({ figures }) => figures.every((figure) => figure > 0)),
    }))
    .filter(({ rows }) => rows.length > 0)
  if (found.length === 0) return undefined
  const axis = logAxis(found.flatMap(({ rows }) => rows.flatMap(({ figures }) => figures)))
  const parts = legend ? [text(16, 48, legend)] : []
  let y = legend ? 64 : 46
  for (const { name, rows } of found) {
    parts.push(text(16, y + 14, name, { kind: 'panel' }))
    const top = y + 24
    const bottom = top + rows.length * rowHeight
    parts.push(...decadeLines(axis, top, bottom))
    rows.forEach(({ way, figures }, i) => {
      const middle = top + (i + 0.5) * rowHeight
      parts.push(text(left - 10, middle + 4, ways[way].name, { anchor: 'end' }), ...row(axis, middle, figures, kind(way)))
    })
    y = bottom + 26
  }
  parts.push(text((left + width - right) / 2, y + 6, label, { anchor: 'middle' }))
  return svg(title, y + 14, parts, sentences)
}

// CPU of one user over the number of users, both logarithmic.
function growth() {
  const rate = rates.find((each) => each > 0)
  const lines = Object.keys(ways)
    .map((way) => ({ way, points: sizes.map((users) => runs[users]?.[rate]?.[way]).filter((run) => good(run) && !behind(run)).map((run) => [run.users, cpu(run)]).filter(([, each]) => each > 0) }))
    .filter(({ points }) => points.length > 1)
  if (lines.length === 0) return undefined
  const [x0, y0, x1, y1] = [70, 60, width - 230, 360]
  const logs = lines.flatMap(({ points }) => points.map(([, each]) => Math.log10(each)))
  const [low, high] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))]
  const x = (users) => x0 + ((Math.log10(users) - Math.log10(sizes[0])) / (Math.log10(largest) - Math.log10(sizes[0]))) * (x1 - x0)
  const y = (each) => y1 - ((Math.log10(each) - low) / (high - low)) * (y1 - y0)
  const parts = [text(16, 48, `µs a second; ${rateName(rate)} of up to 100; a run that fell behind has no point`)]
  for (let power = low; power <= high; ++power) {
    parts.push(line(x0, y(10 ** power), x1, y(10 ** power), 'grid'), text(x0 - 8, y(10 ** power) + 4, short(10 ** power), { anchor: 'end', kind: 'small' }))
  }
  for (const users of sizes) parts.push(text(x(users), y1 + 16, count(users), { anchor: 'middle', kind: 'small' }))
  parts.push(text((x0 + x1) / 2, y1 + 36, 'users (both axes logarithmic)', { anchor: 'middle' }))
  const ends = lines.map(({ way, points }) => ({ way, points, at: y(points.at(-1)[1]) })).sort((a, b) => a.at - b.at)
  let free = y0 - 10
  ends.forEach(({ way, points, at }, i) => {
    const path = points.map(([users, each], j) => `${j === 0 ? 'M' : 'L'}${round(x(users))} ${round(y(each))}`).join('')
    const dashed = ways[way].name.startsWith('poll') ? ' dashed' : ''
    parts.push(`<path d="${path}" class="line ${kind(way)}-line${dashed}"/>`)
    parts.push(...points.map(([users, each]) => `<circle cx="${round(x(users))}" cy="${round(y(each))}" r="3" class="${kind(way)}"/>`))
    const label = Math.max(at, free + 16)
    free = label
    parts.push(line(x(points.at(-1)[0]) + 5, at, x1 + 24, label, 'grid'), text(x1 + 28, label + 4, `${ways[way].name}`, { kind: 'small' }))
  })
  return svg('CPU of one user among many: less is better', y1 + 44, parts, sentences)
}

// User memory and the kernel's, on top of each other.
function footprints() {
  const rows = Object.keys(ways).map((way) => ({ way, ...footprint(way, largest) })).filter(({ user }) => user !== undefined)
  if (rows.length === 0) return undefined
  const sum = ({ user, kernel = 0, buffers = 0 }) => Math.max(user, 0) + Math.max(kernel + buffers, 0)
  const most = Math.max(...rows.map(sum), 1)
  const at = (figure) => left + (figure / most) * (width - left - right)
  const [top, bottom] = [64, 64 + rows.length * rowHeight]
  const parts = [text(16, 48, `bytes of memory a user, of ${count(largest)}: blue the program's, grey the kernel's`)]
  for (const each of steps(0, most)) {
    parts.push(line(at(each), top, at(each), bottom, 'grid'), text(at(each), bottom + 15, short(each), { anchor: 'middle', kind: 'small' }))
  }
  rows.forEach((row, i) => {
    const middle = top + (i + 0.5) * rowHeight
    const [user, whole] = [at(Math.max(row.user, 0)), at(sum(row))]
    parts.push(
      text(left - 10, middle + 4, ways[row.way].name, { anchor: 'end' }),
      `<rect x="${left}" y="${round(middle - 8)}" width="${round(Math.max(user - left, 1))}" height="16" class="own"/>`,
      `<rect x="${round(user)}" y="${round(middle - 8)}" width="${round(Math.max(whole - user, 0))}" height="16" class="other"/>`,
      text(whole + 6, middle + 4, row.kernel === undefined ? `${short(row.user)} + ?` : `${short(row.user)} + ${short(row.kernel + row.buffers)}`, { kind: 'small' }),
    )
  })
  return svg('Memory of one user', bottom + 24, parts, sentences)
}

const plots = {
  'cost-cpu.svg': panels('CPU of the server for one user: less is better', 'microseconds a second (logarithmic)', rates, (run) => [cpu(run)], bar),
  'cost-bytes.svg': panels('Bytes of one user, both ways, with the headers of HTTP: less is better', 'bytes a second (logarithmic)', rates, (run) => [bytes(run)], bar),
  'cost-delay.svg': panels(
    'Delay until a message is seen: less is better', 'milliseconds from when it was due to when it was read (logarithmic)',
    rates.filter((rate) => rate > 0), (run) => ['delay_p50_us', 'delay_p90_us', 'delay_p99_us'].map((key) => value(run, key) / 1000), spread,
    'disc p50, square p90, bar p99',
  ),
  'cost-growth.svg': growth(),
  'cost-memory.svg': footprints(),
}
mkdirSync(images, { recursive: true })
for (const [name, drawn] of Object.entries(plots)) {
  if (drawn === undefined) continue
  writeFileSync(join(images, name), drawn)
  console.log(`plot: ${join(images, name)}`)
}

const blocks = {
  circumstances: () => [...circumstances(from).slice(0, -1), ...noise()].join(' '),
  everything,
  crossover,
  cpu: () => bySize('Server CPU of one user, µs a second', load),
  delay: () => bySize('Seen after, p50 / p99 ms', delay, rates.filter((rate) => rate > 0)),
  memory,
  settings: settingRows,
  tokens,
}
let written = 0
const filled = readFileSync(page, 'utf8').replace(
  /(<!-- recorded: (\w+) -->\n)[^]*?(<!-- end -->)/g,
  (whole, begin, name, end) => {
    if (!blocks[name]) throw new Error(`${page}: there is no table "${name}"`)
    ++written
    return `${begin}\n${blocks[name]()}\n\n${end}`
  },
)
writeFileSync(page, filled)
console.log(`tables: ${written} in ${page}`)
