// The largest cluster that this machine bears: one PostgreSQL, one Redis, as many nodes as there is memory
// for, and on each of them as many sessions as a process may open files. Every session has an identity of
// its own and is subscribed to a room and to the people there. Then: what a session costs in user and in
// kernel memory, what a join costs Redis at each size, how soon a message has reached its readers on every
// node, and what becomes of it all when a node is killed while people write.
//
//   script/setup test; cmake --preset release -DRTC_TESTS=ON; ninja -C build/release realtimechat rtc_load
//   node bench/largest_cluster.mjs [--nodes N] [--sessions N] [--messages N] [--json FILE]
//
//   --nodes     as many as make 1,000,000 sessions, or as 70 % of the memory have room for
//   --sessions  of each node (19,000)
//   --messages  that are timed (40)
//   --json      where the figures go too (build/largest_cluster.json)
//
// SIGUSR1: no more nodes, on with those that are there. Prints Markdown, and how far it is on the standard error. Exit code 0; 1 when a message was lost or came
// twice, or somebody who is gone stayed; 2 when the machine does not permit it, with what to do.
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bearer, request, waitFor } from '../tests/system/harness.mjs'
import { Cluster, placesOf, settings } from './cluster_nodes.mjs'
import { print } from './cluster_tables.mjs'
import { Ends } from './ends.mjs'
import { busySeconds, cpuSeconds, kernelMemory, limits, machineLine, machineMemory, userMemory } from './machine.mjs'
import { redisFigures, redisWork } from './redis_figures.mjs'

const sessionsWanted = 1_000_000
const memoryShare = 0.7 // of the machine's that may be used, by everybody
const sessionBytes = 14 << 10 // about, in all processes and the kernel
const nodeBytes = 40 << 20 // a node, its client and its PostgreSQL processes without a session
const milestones = new Set([1, 2, 5, 10, 20, 30, 40, 53]) // nodes
const gone = 60_000 // ms that people of a dead node may stay before it counts as for ever

const { values } = parseArgs({
  options: {
    nodes: { type: 'string' }, sessions: { type: 'string', default: '19000' }, messages: { type: 'string', default: '40' },
    json: { type: 'string', default: fileURLToPath(new URL('../build/largest_cluster.json', import.meta.url)) },
  },
})
const sessions = Number(values.sessions)
const messages = Number(values.messages)
let nodesMax = values.nodes ? Number(values.nodes) : Math.max(2, Math.ceil(sessionsWanted / sessions))

const say = (text) => process.stderr.write(`${text}\n`)
const gib = (bytes) => (bytes / 2 ** 30).toFixed(1)
const seconds = () => Number(process.hrtime.bigint()) / 1e9

const save = (what) => {
  mkdirSync(path.dirname(values.json), { recursive: true })
  writeFileSync(values.json, JSON.stringify(what, null, 1))
}

// --- may it be done here?

function refusal() {
  const is = limits()
  const { total, available } = machineMemory()
  if (!(nodesMax >= 2 && sessions >= 10 && messages >= 1)) return 'at least 2 nodes, 10 sessions and 1 message: say --nodes, --sessions, --messages.'
  const spare = 500 // of a process: the node's own files, writers, calls
  if (sessions + spare > is.descriptors)
    return `a process may open ${is.descriptors} files here: say --sessions ${is.descriptors - spare - 500}, or raise the hard limit (ulimit -Hn).`
  const descriptors = nodesMax * (2 * sessions + spare)
  if (descriptors > is.descriptorsInAll) return `${descriptors} open files are needed, the machine has ${is.descriptorsInAll}: sysctl -w fs.file-max=${descriptors * 2}.`
  if (is.tracked > 0 && is.trackedMax < 1.2 * nodesMax * sessions)
    return `the firewall tracks ${is.trackedMax} connections at most: sysctl -w net.netfilter.nf_conntrack_max=${2 * nodesMax * sessions}, or no rule that tracks the loopback.`
  if (is.backlog < 128) return `only ${is.backlog} connections may wait to be accepted: sysctl -w net.core.somaxconn=4096.`
  const needed = nodesMax * (sessions * sessionBytes + nodeBytes)
  const free = available - (1 - memoryShare) * total
  if (values.nodes && needed > free)
    return `${nodesMax} nodes of ${sessions} sessions need some ${gib(needed)} GiB; of ${gib(total)} GiB ${gib(Math.max(free, 0))} may be taken (so that 30 % stay free): say a smaller --nodes.`
  return ''
}

// Whether one more node would leave 30 % of the memory to others.
function mayGrow() {
  const { total, available } = machineMemory()
  return available - (sessions * sessionBytes + nodeBytes) > (1 - memoryShare) * total
}

// --- what is measured

// What Redis does for people who come one by one into a room that so many nodes watch, beyond what it does anyway.
async function joinsOneByOne(cluster, room, idle, count) {
  const before = redisFigures(cluster.redis)
  const guests = []
  for (let n = 0; n < count; ++n) {
    guests.push(await cluster.guest(room))
    await sleep(300) // longer than a tick, so that none shares a script with another
  }
  await sleep(1000)
  const work = redisWork(before, redisFigures(cluster.redis))
  for (const guest of guests) guest.drop()
  await sleep(1500)
  const each = (value, perSecond) => (value - perSecond * work.seconds) / count
  return {
    cpuUs: each(work.cpuUs, idle.cpuUs / idle.seconds), scripts: each(work.scripts, idle.scripts / idle.seconds),
    commands: each(work.commands, idle.commands / idle.seconds), inAll: work,
  }
}

async function idleWork(cluster, ms) {
  const before = redisFigures(cluster.redis)
  await sleep(ms)
  return redisWork(before, redisFigures(cluster.redis))
}

// Joins `more` sessions on the newest node; at a milestone also what a join costs Redis, by itself and in a storm.
async function join(cluster, all, probes) {
  const before = redisFigures(cluster.redis)
  const from = cluster.sessions
  const took = await cluster.join(all)
  await sleep(600) // two ticks: Redis knows them all
  const storm = redisWork(before, redisFigures(cluster.redis))
  const step = { nodes: cluster.nodes.length, sessions: cluster.sessions, joined: cluster.sessions - from, seconds: took }
  say(`${step.nodes} nodes, ${step.sessions} sessions; the last ${step.joined} in ${took.toFixed(1)} s; ${gib(machineMemory().available)} GiB free`)
  if (!probes) return step
  const idle = await idleWork(cluster, probes.ms)
  const perJoin = (name) => (storm[name] - (idle[name] / idle.seconds) * storm.seconds) / step.joined
  return {
    ...step,
    inAll: storm,
    idle: { cpuPercent: idle.cpuUs / idle.seconds / 1e4, commandsPerSecond: idle.commands / idle.seconds },
    storm: { cpuUs: perJoin('cpuUs'), scripts: perJoin('scripts'), commands: perJoin('commands') },
    small: await joinsOneByOne(cluster, cluster.smallRoom(), idle, probes.alone),
    hall: await joinsOneByOne(cluster, cluster.hall, idle, probes.alone),
    redisBytes: redisFigures(cluster.redis).memory,
    memory: memory(cluster),
    emptyNodes: { ...cluster.emptyNodes },
  }
}

const usage = (cluster) => ({
  time: seconds(), nodes: cpuSeconds(cluster.pids()), clients: cpuSeconds(cluster.clientPids()),
  redis: cpuSeconds([cluster.redisPid]), postgres: cpuSeconds(cluster.postgresPids()), machine: busySeconds(),
})

// Percent of a core that each used since.
function usedSince(cluster, before) {
  const now = usage(cluster)
  const of = (name) => ((now[name] - before[name]) / (now.time - before.time)) * 100
  const [nodes, clients, redis, postgres] = ['nodes', 'clients', 'redis', 'postgres'].map(of)
  return { seconds: now.time - before.time, nodes, clients, redis, postgres, others: Math.max(0, of('machine') - nodes - clients - redis - postgres) }
}

function memory(cluster) {
  return {
    kernel: kernelMemory(), nodes: userMemory(cluster.pids()), clients: userMemory(cluster.clientPids()),
    redis: userMemory([cluster.redisPid]), postgres: userMemory(cluster.postgresPids()),
  }
}

// Posts to the hall, until told to stop or as often as asked: [id, when it left] of each that was receipted.
async function post(cluster, count, pauseMs, { afterEach = () => {} } = {}) {
  const sent = []
  let refused = 0
  for (let n = 0; n < count; ++n) {
    const at = process.hrtime.bigint()
    try {
      sent.push([await cluster.post(n, `${randomUUID()} ${'.'.repeat(128 - 37)}`), at])
    } catch {
      refused += 1 // the node is dead
    }
    await afterEach(n)
    await sleep(pauseMs)
  }
  return { sent, refused }
}

// Asks the clients until every reader they have has had each of these messages, or nothing more comes.
async function heard(cluster, ids) {
  const told = new Map(ids.map((id) => [id, cluster.clients.map(() => ({ readers: 0, last: 0n }))]))
  const want = cluster.readersOfHall()
  const complete = () => [...told.values()].every((nodes) => nodes.every(({ readers }) => readers >= want))
  let reports = []
  const stepMs = 500
  // Once more when all is there, as a repeat may still come.
  for (let quiet = 0, last = false; quiet * stepMs < gone && !last; ++quiet) {
    last = complete()
    await sleep(stepMs)
    reports = await cluster.reports()
    reports.forEach(({ told: rows }, node) => {
      for (const [id, readers, , last] of rows) {
        const entry = told.get(id)?.[node]
        if (!entry) continue
        entry.readers += readers
        if (BigInt(last) > entry.last) entry.last = BigInt(last)
        quiet = 0
      }
    })
  }
  const sum = (name) => reports.reduce((all, report) => all + report[name], 0)
  const missing = [...told.values()].flat().reduce((all, { readers }) => all + Math.max(0, want - readers), 0)
  const surplus = [...told.values()].flat().reduce((all, { readers }) => all + Math.max(0, readers - want), 0)
  return { told, faults: { missing, surplus, holes: sum('holes'), repeats: sum('repeats') }, cutOff: sum('closed') }
}

async function timeMessages(cluster, pauseMs) {
  await cluster.reports() // what came so far is not looked at
  const { sent } = await post(cluster, messages, pauseMs)
  const { told, faults, cutOff } = await heard(cluster, sent.map(([id]) => id))
  const nodes = []
  const all = []
  for (const [id, at] of sent) {
    const ms = told.get(id).map(({ last }) => Number(last - at) / 1e6)
    nodes.push(...ms)
    all.push(Math.max(...ms))
  }
  return { messages: sent.length, readersOfAMessage: cluster.readersOfHall() * cluster.nodes.length, nodeMs: nodes, allMs: all, faults, cutOff }
}

const people = async (cluster, node, room) =>
  (await request(node, `/chatroom/people?roomId=${room}&limit=1`, { headers: bearer(cluster.user.token) })).json?.response.people

async function killOne(cluster, pauseMs) {
  const victim = Math.floor(cluster.nodes.length / 2)
  const shared = cluster.sharedRoom(victim)
  const before = { hall: await people(cluster, cluster.nodes[0], cluster.hall), shared: await people(cluster, cluster.nodes[0], shared) }
  let killedAt = 0
  const waits = []
  const until = async (room, count) => {
    const have = async () => {
      await sleep(200)
      return (await people(cluster, cluster.nodes[0], room)) === count
    }
    await waitFor('the people of the dead node to go', have, gone)
    return seconds() - killedAt
  }
  const all = Math.max(messages, 30)
  const { sent, refused } = await post(cluster, all, pauseMs, {
    afterEach: async (n) => {
      if (n !== Math.floor(all / 3)) return
      const survivors = cluster.nodes.length - 1
      killedAt = seconds()
      await cluster.kill(victim)
      waits.push(until(cluster.hall, cluster.readersOfHall() * survivors), until(shared, before.shared / 2))
      waits.forEach((each) => each.catch(() => {}))
    },
  })
  const highest = Math.max(...sent.map(([id]) => id))
  const lowest = Math.min(...sent.map(([id]) => id))
  const { faults, cutOff } = await heard(cluster, Array.from({ length: highest - lowest + 1 }, (_, n) => lowest + n))
  const [hallSeconds, sharedSeconds] = await Promise.all(waits)
  return { before, receipted: sent.length, ids: highest - lowest + 1, refused, hallSeconds, sharedSeconds, faults, cutOff }
}

// --- all of it

async function run(ends) {
  const scratch = mkdtempSync(path.join(tmpdir(), 'rtc-largest-'))
  ends.after(() => rmSync(scratch, { recursive: true, force: true }))
  const places = placesOf(sessions)
  const small = sessions * nodesMax < 20_000
  const pauseMs = small ? 50 : 500
  const kernelBefore = kernelMemory()
  const cluster = await Cluster.start(ends, scratch, places, limits().ports)
  const joins = []
  const begun = seconds()
  await cluster.addNode()
  for (let n = 1; ; ++n) {
    const milestone = small || milestones.has(n)
    // What nodes do anyway: among it they look at each room they watch every 30 s, so it takes as long to see.
    const probes = milestone ? { ms: small ? 500 : 31_000, alone: small ? 3 : 10 } : null
    if (n === 1 && !small) joins.push(await join(cluster, 1000, probes))
    // Beside the joins of one node the next one starts and makes its identities, but where Redis is watched.
    const more = n < nodesMax && mayGrow()
    const next = more && !milestone ? cluster.prepareNode() : null
    next?.catch(() => {})
    joins.push(await join(cluster, places.sessions, probes))
    save({ machine: machineLine(), joins })
    if (!more) {
      if (n < nodesMax) say(`No more nodes: 30 % of the memory stay free (${gib(machineMemory().available)} GiB are).`)
      break
    }
    cluster.take(await (next ?? cluster.prepareNode()))
  }
  const joinSeconds = seconds() - begun
  const hallPeople = cluster.readersOfHall() * cluster.nodes.length
  await waitFor('all nodes to know all people of the hall', async () => {
    const told = await Promise.all(cluster.nodes.map((node) => people(cluster, node, cluster.hall)))
    return told.every((count) => count === hallPeople)
  }, gone)
  if (!small) await sleep(5000)
  const idleFrom = usage(cluster)
  await sleep(small ? 500 : 15_000)
  const idle = usedSince(cluster, idleFrom)
  const at = memory(cluster)
  say('All are in. Messages.')
  await cluster.openWriters()
  const writeFrom = usage(cluster)
  const timed = await timeMessages(cluster, pauseMs)
  const writing = usedSince(cluster, writeFrom)
  say('A node is killed.')
  const kill = await killOne(cluster, small ? 50 : 250)
  return {
    machine: machineLine(), nodes: cluster.nodes.length + 1, settings, sessions: cluster.joined, sessionsOfANode: places.sessions, rooms: cluster.rooms,
    hallSeats: places.hallSeats, placesOfARoom: places.readers, joinSeconds, joins, memoryBefore: { kernel: kernelBefore, nodes: cluster.emptyNodes },
    memory: at, redis: redisFigures(cluster.redis), idle, writing, timed, kill,
  }
}

process.setMaxListeners(0) // each node has one for the end
process.on('SIGUSR1', () => (nodesMax = 0))
const why = refusal()
if (why) {
  say(`largest_cluster: ${why}`)
  process.exit(2)
}
const ends = new Ends()
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => ends.end().finally(() => process.exit(3)))
let result
try {
  result = await run(ends)
  save(result)
} finally {
  await ends.end()
}
print(result)
const faulty = [result.timed.faults, result.kill.faults].some((faults) => Object.values(faults).some((count) => count > 0))
if (faulty || result.timed.cutOff > 0 || result.kill.cutOff > 0) {
  say('largest_cluster: it did not deliver as it must.')
  process.exit(1)
}
