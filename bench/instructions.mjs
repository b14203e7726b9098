// Counts the instructions that the server executes in user space for a delivery and for an idle
// heart-beat, by thread, under valgrind's callgrind: a figure that neither another machine nor a busy
// one changes much. Each load runs twice, short and long, and what the long one has more is divided by
// the deliveries, or heart-beats, that it has more: start, joining and end cancel out.
//
//   node bench/instructions.mjs build/release      (script/bench instructions)
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from './port.mjs'

const programs = process.argv[2] ?? 'build/release'
const out = join(programs, '../bench')

const readers = 100
const traffic = (inFlight) => ({
  settings: [],
  load: (messages) => ['--readers', readers, '--in-flight', inFlight, '--messages', messages],
  short: 200,
  long: 800,
  count: (report) => report.deliveries,
})
const loads = {
  [`a delivery: one room, ${readers} readers, one message in flight`]: traffic(1),
  [`a delivery: the same, 32 in flight`]: traffic(32),
  'an idle heart-beat sent, and some 1.25 received: 200 sessions, one a second each': {
    settings: ['--heart-beat-interval', '1s'],
    load: (seconds) =>
      ['--mode', 'idle', '--rooms', 2, '--readers', 100, '--heart-beat', 1000, '--settle', 0, '--seconds', seconds],
    short: 4,
    long: 24,
    count: (report) => report.heart_beats_received,
  },
}

// Which thread is whose, by a function that only it runs; the main thread only starts and stops.
const threads = {
  loop: 'rtc::net::Loop::run(',
  storing: 'rtc::chat::StoreQueue::write_loop(',
  reading: 'rtc::chat::StoreQueue::read_loop(',
}

// Until it answers: that something listens is not enough, a start may try the port first.
async function answers(port, child) {
  while (child.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined)
    if (answer?.ok) return
    await sleep(100)
  }
  throw new Error('the server did not start under valgrind')
}

// The instructions of each thread, and how many there were of what is counted.
async function run({ settings, load, count }, size) {
  const folder = mkdtempSync(join(tmpdir(), 'rtc-instructions-'))
  const port = await freePort()
  const server = spawn('valgrind', [
    '--tool=callgrind', '--separate-threads=yes', `--callgrind-out-file=${folder}/count`,
    join(programs, 'realtimechat'), '--listen', `127.0.0.1:${port}`, '--loops', '1', '--data-dir', join(folder, 'data'),
    '--log-level', 'error', ...settings,
  ], { stdio: ['ignore', 'ignore', 'pipe'] })
  let words = ''
  server.stderr.on('data', (data) => (words += data))
  try {
    await answers(port, server)
    const args = [`ws://127.0.0.1:${port}/ws`, ...load(size).map(String), '--patience', '120', '--json']
    const { stdout } = await promisify(execFile)(join(programs, 'rtc_load'), args)
    server.kill('SIGTERM')
    const [code] = await once(server, 'close')
    if (code !== 0) throw new Error(`the server ended with ${code}`)
    const counts = Object.fromEntries(Object.keys(threads).map((name) => [name, 0]))
    const seen = new Set()
    for (const file of readdirSync(folder).filter((name) => /^count-\d+$/.test(name))) {
      const text = readFileSync(join(folder, file), 'utf8')
      const [name] = Object.entries(threads).find(([, mark]) => text.includes(mark)) ?? []
      if (!name) continue
      counts[name] += Number(/^totals: (\d+)$/m.exec(text)[1])
      seen.add(name)
    }
    if (!seen.has('loop') || !seen.has('storing')) throw new Error('the loop or the storing thread is not among the counts')
    return { counts, of: count(JSON.parse(stdout)) }
  } catch (error) {
    server.kill('SIGKILL')
    throw new Error(`${error.message}\n${words.slice(-2000)}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const results = {}
const names = Object.keys(threads)
console.log(`| instructions, user space | ${names.join(' | ')} | all |\n| --- |${' ---: |'.repeat(names.length + 1)}`)
for (const [title, load] of Object.entries(loads)) {
  const short = await run(load, load.short)
  const long = await run(load, load.long)
  const more = long.of - short.of
  const each = Object.fromEntries(names.map((name) => [name, (long.counts[name] - short.counts[name]) / more]))
  results[title] = { short, long, each }
  const all = names.reduce((sum, name) => sum + each[name], 0)
  console.log(`| ${title} | ${[...names.map((name) => each[name]), all].map((value) => value.toFixed(0)).join(' | ')} |`)
}
mkdirSync(out, { recursive: true })
writeFileSync(join(out, 'instructions.json'), `${JSON.stringify(results, null, 1)}\n`)
