// The soak: everything at once against one RealTimeChat, for as long as asked, and what becomes of its
// memory. Idle sessions that heart-beat, a crowded room, many small rooms where everyone writes,
// people who come and go, and somebody who reads back through the history of all rooms. Prints one
// JSON object, with the memory sampled each second.
//
//   node bench/soak.mjs CLIENT PORT PID SECONDS [SCALE]
//
// CLIENT is rtc_load. SCALE divides the number of sessions and messages (script/test: 100). The fit
// and the quarters leave out the first sixth: the store's page cache fills meanwhile, by design.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { fit, median } from './runs.mjs'

const [client, port, pid, secondsText, scaleText = '1'] = process.argv.slice(2)
const seconds = Number(secondsText)
const scale = Number(scaleText)
if (!client || !(Number(port) > 0) || !(Number(pid) > 0) || !(seconds > 0) || !(scale >= 1)) {
  console.error('usage: node bench/soak.mjs CLIENT PORT PID SECONDS [SCALE]')
  process.exit(3)
}

const flatPercent = 2 // the last quarter's median over the first's, at most
const pageBytes = 4096
const ticksPerSecond = 100
const pagesPerSecond = 20

const share = (count) => Math.max(Math.round(count / scale), 1)
const common = ['--pid', pid, '--json', '--patience', '30', '--seconds', secondsText]
const parts = {
  idle: ['--mode', 'idle', '--rooms', share(100), '--readers', '100', '--settle', '0', '--heart-beat', '25000',
    '--also-subscribe', '/sub/channel/entry'],
  crowd: ['--readers', share(1000), '--rate', '10'],
  rooms: ['--rooms', share(100), '--readers', '10', '--publishers', '10', '--rate', share(1000)],
  churn: ['--mode', 'churn', '--rate', share(200), '--at-once', '64'],
}

function run(name, args) {
  const child = spawn(client, [`ws://127.0.0.1:${port}/ws`, ...args.map(String), ...common])
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => (stdout += data))
  child.stderr.on('data', (data) => (stderr += data))
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      if (stdout === '') reject(new Error(`${name}: exit code ${code}: ${stderr.trim()}`))
      else resolve({ ...JSON.parse(stdout), stderr })
    })
  })
  return { child, ended }
}

const ask = (agent, path, token) =>
  new Promise((resolve, reject) => {
    const headers = token ? { Authorization: `Bearer ${token}` } : {}
    http.get({ host: '127.0.0.1', port, path, agent, headers }, (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => {
        if (response.statusCode !== 200) reject(new Error(`${path}: ${response.statusCode}`))
        else resolve(JSON.parse(Buffer.concat(chunks).toString()).response)
      })
      response.on('error', reject)
    }).on('error', reject)
  })

// Pages of 50, backwards to the first message, room after room, until told to stop.
async function readHistory(state) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const token = await ask(agent, '/init')
  const rooms = []
  let last // of the rooms listed so far
  let before
  while (!state.over) {
    try {
      if (rooms.length === 0) {
        const more = await ask(agent, `/chatroom?limit=100${last ? `&after=${last}` : ''}`, token)
        rooms.push(...more.map((room) => room.roomId))
        last = more.at(-1)?.roomId // none: from the oldest again
      } else {
        const target = before === undefined ? '/message?' : `/message/lastMessageId?lastMessageId=${before}&`
        const page = await ask(agent, `${target}roomId=${rooms[0]}&limit=50`, token)
        ++state.pages
        before = page.at(-1)?.id
        if (page.length === 0 || before === 1) {
          rooms.shift()
          before = undefined
        }
      }
    } catch (error) {
      if (!state.over && state.failures++ === 0) console.error(`soak: a page could not be read: ${error.message}`)
    }
    await sleep(1000 / pagesPerSecond)
  }
  agent.destroy()
}

function rssBytes() {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
  if (pages === 0) throw new Error(`the server ended after ${elapsed().toFixed(0)} s`) // and nobody has waited for it yet
  return pages * pageBytes
}
function cpuSeconds() {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

const children = Object.entries(parts).map(([name, args]) => run(name, args))
const history = { over: false, pages: 0, failures: 0 }
const samples = [] // [seconds since the begin, bytes]
const begin = performance.now()
const cpuBefore = cpuSeconds()
const elapsed = () => (performance.now() - begin) / 1000
let reports
let spent
try {
  const reading = readHistory(history)
  const all = Promise.all(children.map(({ ended }) => ended))
  // Until the first of them is through: from then on it is not everything any more.
  const first = Promise.race(children.map(({ ended }) => ended))
  let over = false
  const end = () => (over = true)
  first.then(end, end)
  const every = Math.min(1, seconds / 40)
  while (!over) {
    samples.push([Number(elapsed().toFixed(2)), rssBytes()])
    await Promise.race([sleep(every * 1000), first])
  }
  spent = { seconds: elapsed(), cpu: cpuSeconds() - cpuBefore }
  history.over = true
  reports = await all
  await reading
} catch (error) {
  console.error(`soak: ${error.message}`)
  for (const { child } of children) child.kill('SIGKILL')
  process.exit(3)
}

const warmUp = spent.seconds / 6
const measured = samples.filter(([at]) => at >= warmUp)
const quarter = Math.max(Math.floor(measured.length / 4), 1)
const medianOf = (points) => median(points.map(([, bytes]) => bytes))
const [first, last] = [medianOf(measured.slice(0, quarter)), medianOf(measured.slice(-quarter))]
const [idle, crowd, rooms, churn] = reports
const sum = (key) => reports.reduce((total, report) => total + (report[key] ?? 0), 0)
const faulty = reports.some((report) => report.faulty) || history.failures > 0
for (const { stderr } of reports) if (stderr) process.stderr.write(stderr)
const result = {
  mode: 'soak',
  seconds: Number(spent.seconds.toFixed(1)),
  warm_up_seconds: Number(warmUp.toFixed(1)),
  sessions: idle.sessions + crowd.sessions + rooms.sessions,
  deliveries_per_second: crowd.deliveries_per_second + rooms.deliveries_per_second,
  visits_per_second: churn.visits_per_second,
  pages_per_second: history.pages / spent.seconds,
  latency_p50_us: rooms.latency_p50_us,
  latency_p99_us: rooms.latency_p99_us,
  last_reader_p99_us: crowd.last_reader_p99_us,
  heart_beats_received: idle.heart_beats_received,
  server_cpu_percent: (100 * spent.cpu) / spent.seconds,
  rss_bytes_first_quarter: first,
  rss_bytes_last_quarter: last,
  rss_slope_bytes_per_hour: fit(measured).slope * 3600,
  flat: last <= first * (1 + flatPercent / 100),
  flat_percent: flatPercent,
  lost: sum('lost'),
  repeated: sum('repeated'),
  disordered: sum('disordered'),
  strays: sum('strays'),
  sessions_cut_off: sum('sessions_cut_off'),
  failed_visits: churn.failed_visits,
  failed_pages: history.failures,
  samples,
  refused: false,
  faulty,
}
console.log(JSON.stringify(result))
process.exit(faulty ? 1 : 0)
