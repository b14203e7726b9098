// What one Redis carries for this program: messages published into it and handed to nodes, and people who
// come and go. It makes its own PostgreSQL, Redis and node, takes the payload of a real message from them,
// and then publishes that as nodes do, as fast as Redis takes it, to as many subscribers as there would be
// nodes with readers of a room; each subscriber counts its bytes.
//
//   script/setup test; cmake --preset release -DRTC_TESTS=ON; ninja -C build/release realtimechat rtc_load
//   node bench/redis_limit.mjs [--seconds S] [--people N] [--json FILE]
//
//   --seconds  of each row (5)
//   --people   who come at once and leave at once (10,000)
//   --json     where the figures go too (build/redis_limit.json)
//
// Prints Markdown. A row in which Redis was not the busy one says so: then it could do more. Exit code 1
// when a subscriber got more or less than was published.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { clientFor } from '../tests/system/clients.mjs'
import { connected } from '../tests/system/cluster.mjs'
import { Server, createRoom, newUser, waitFor } from '../tests/system/harness.mjs'
import { Postgres } from '../tests/system/postgres.mjs'
import { Redis } from '../tests/system/redis.mjs'
import { Ends } from './ends.mjs'
import { Holder } from './holder.mjs'
import { busySeconds, cpuSeconds, machineLine } from './machine.mjs'
import { redisFigures, redisWork } from './redis_figures.mjs'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' }, people: { type: 'string', default: '10000' },
    json: { type: 'string', default: fileURLToPath(new URL('../build/redis_limit.json', import.meta.url)) },
  },
})
const seconds = Number(values.seconds)
const people = Number(values.people)

const rooms = 200
const readersOfARoom = 50 // people of the part about people
const busy = 90 // percent of a core
// Nodes; those with readers of a room; messages that a node has on their way at once; messages of a payload.
const loads = [
  [1, 1, 32, 1], [3, 3, 32, 1], [10, 10, 32, 1], [50, 50, 32, 1], [50, 2, 32, 1], [50, 2, 1, 1], [50, 2, 32, 8],
]

const bulk = (bytes) => Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')])
const command = (...words) => Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...words.map((word) => bulk(Buffer.from(word)))])
const roomOf = (number) => `realtimechat:room:00000000-0000-4000-8000-${String(number).padStart(12, '0')}`

// A connection that gives its bytes to `take`, which looks at them before it returns.
function connect(redis, take) {
  return new Promise((resolve, reject) => {
    const onread = { buffer: Buffer.alloc(256 << 10), callback: (count, buffer) => { take(buffer.subarray(0, count)); return true } }
    const socket = net.connect({ port: redis.port, host: '127.0.0.1', noDelay: true, onread }, () => resolve(socket))
    socket.once('error', reject)
  })
}

// The payload of a commit of `count` messages of 128 bytes in one room, as a node publishes it.
async function payloadOf(ends, cluster, count) {
  const { node, redis, user } = cluster
  const room = (await createRoom(node, user, 'a room of the bench')).json.response.roomId
  const channel = `realtimechat:room:${room}`
  let heard = Buffer.alloc(0)
  const socket = await connect(redis, (bytes) => (heard = Buffer.concat([heard, bytes])))
  ends.after(() => socket.destroy())
  socket.write(command('SUBSCRIBE', channel))
  await waitFor('the subscription', () => heard.length > 0)
  heard = Buffer.alloc(0)
  const writer = await clientFor(ends, node, user)
  writer.send('BEGIN', { transaction: 'one' })
  for (let n = 0; n < count; ++n) {
    writer.send('SEND', { destination: '/pub/chat', transaction: 'one' }, JSON.stringify({ roomId: room, message: '.'.repeat(128) }))
  }
  await writer.sendAndWait('COMMIT', { transaction: 'one' })
  const head = Buffer.concat([Buffer.from('*3\r\n'), bulk(Buffer.from('message')), bulk(Buffer.from(channel))])
  await waitFor('the payload', () => {
    const lengthEnd = heard.indexOf('\r\n', head.length)
    return lengthEnd > 0 && heard.length === lengthEnd + 2 + Number(heard.subarray(head.length + 1, lengthEnd)) + 2
  })
  const begin = heard.indexOf('\r\n', head.length) + 2
  return heard.subarray(begin, heard.length - 2)
}

// `nodes` connections that each keep `inFlight` messages on their way, and as many subscribers.
async function publish(redis, [nodes, readers, inFlight, messages], payload) {
  const received = Array(nodes).fill(0)
  const subscribers = await Promise.all(received.map((_, n) => connect(redis, (bytes) => (received[n] += bytes.length))))
  const subscribed = subscribers.map(() => [])
  for (let room = 0; room < rooms; ++room) {
    for (let n = 0; n < readers; ++n) subscribed[(room + n * Math.max(1, Math.floor(nodes / readers))) % nodes].push(roomOf(room))
  }
  subscribers.forEach((socket, n) => subscribed[n].length > 0 && socket.write(command('SUBSCRIBE', ...subscribed[n])))
  const confirmed = (channels) => channels.reduce((sum, channel, n) => sum + command('subscribe', channel, '').length - 6 + `:${n + 1}\r\n`.length, 0)
  await waitFor('the subscriptions', () => received.every((bytes, n) => bytes === confirmed(subscribed[n])))
  received.fill(0)

  // What is written is always one of these: `inFlight` commands to as many rooms.
  const batches = Array.from({ length: Math.ceil(rooms / inFlight) }, (_, batch) =>
    Buffer.concat(Array.from({ length: inFlight }, (_, n) => command('PUBLISH', roomOf((batch * inFlight + n) % rooms), payload))))
  let published = 0
  let open = true
  const publishers = await Promise.all(Array.from({ length: nodes }, async (_, which) => {
    let next = which
    let answers = 0
    const write = () => socket.write(batches[next++ % batches.length])
    const socket = await connect(redis, (bytes) => {
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) answers += 1
      while (answers >= inFlight) {
        answers -= inFlight
        published += inFlight
        if (open) write()
        else socket.destroy()
      }
    })
    return { socket, write }
  }))
  const wire = command('message', roomOf(0), payload).length
  const before = redisFigures(redis)
  const own = process.cpuUsage()
  const machine = busySeconds()
  const cpu = cpuSeconds([before.pid])
  for (const { write } of publishers) write()
  await sleep(seconds * 1000)
  const work = redisWork(before, redisFigures(redis))
  const count = published
  const delivered = received.reduce((sum, bytes) => sum + bytes, 0) / wire
  const clientUs = process.cpuUsage(own).user + process.cpuUsage(own).system
  const others = busySeconds() - machine - (cpuSeconds([before.pid]) - cpu) - clientUs / 1e6
  open = false
  await waitFor('all to be published', () => publishers.every(({ socket }) => socket.destroyed))
  const wanted = published * readers * wire
  await waitFor('all to be received', () => received.reduce((sum, bytes) => sum + bytes, 0) >= wanted).catch(() => {})
  await sleep(50)
  const got = received.reduce((sum, bytes) => sum + bytes, 0)
  for (const socket of subscribers) socket.destroy()
  return {
    nodes, readers, inFlight, messages, bytes: payload.length, perSecond: (count / work.seconds) * messages,
    deliveriesPerSecond: delivered / work.seconds, cpuPercent: work.cpuUs / work.seconds / 1e4, clientPercent: clientUs / work.seconds / 1e4,
    othersPercent: Math.max(0, (others / work.seconds) * 100), cpuUsOfAPayload: work.cpuUs / count, published, missing: (wanted - got) / wire,
  }
}

// Redis' CPU for each who comes, all at once, and who goes, likewise.
async function comeAndGo(ends, scratch, { node, redis, user }) {
  const list = []
  for (let n = 0; n < Math.ceil(people / readersOfARoom); ++n) list.push((await createRoom(node, user, 'a room of the bench')).json.response.roomId)
  const roomFile = path.join(scratch, 'rooms')
  writeFileSync(roomFile, `${list.join('\n')}\n`)
  const client = new Holder(node, { roomFile, readers: readersOfARoom, from: ['127.0.1.1', '127.0.1.2'] })
  ends.after(() => client.end())
  await client.prepared
  const all = list.length * readersOfARoom
  const known = async (count) => {
    await waitFor('Redis to know them', () => list.reduce((sum, room) => sum + Number(redis.ask('ZCARD', `realtimechat:{people}:${room}:people`)), 0) === count)
  }
  const idleFrom = redisFigures(redis)
  await sleep(1000)
  const idle = redisWork(idleFrom, redisFigures(redis))
  const each = (before) => {
    const work = redisWork(before, redisFigures(redis))
    return { inAll: work, cpuUs: (work.cpuUs - (idle.cpuUs / idle.seconds) * work.seconds) / all, scripts: (work.scripts - (idle.scripts / idle.seconds) * work.seconds) / all }
  }
  const memory = redisFigures(redis).memory
  let before = redisFigures(redis)
  await client.join(all)
  await sleep(600)
  const come = each(before)
  await known(all)
  const bytes = (redisFigures(redis).memory - memory) / all
  before = redisFigures(redis)
  await client.end()
  await sleep(2000)
  const go = each(before)
  await known(0)
  return { people: all, come, go, bytes }
}

async function run(ends) {
  const scratch = mkdtempSync(path.join(tmpdir(), 'rtc-redis-limit-'))
  ends.after(() => rmSync(scratch, { recursive: true, force: true }))
  const postgres = new Postgres(ends)
  const redis = await Redis.for(ends)
  // As docs/operations.md says.
  redis.ask('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 64mb 32mb 60')
  const env = { RTC_POSTGRES_URL: postgres.url, RTC_REDIS_URL: redis.url, RTC_TOKEN_SECRET: 'a secret of the bench that all nodes know' }
  const node = new Server({ env, args: ['--loops', '1', '--rooms-per-identity-max', '100000'] })
  ends.after(() => node.stop())
  await node.start()
  await connected([node])
  const cluster = { node, redis, user: await newUser(node) }
  const presence = await comeAndGo(ends, scratch, cluster)
  const rows = []
  for (const load of loads) rows.push(await publish(redis, load, await payloadOf(ends, cluster, load[3])))
  return { machine: machineLine(), seconds, rows, presence }
}

const ends = new Ends()
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => ends.end().finally(() => process.exit(3)))
let result
try {
  result = await run(ends)
} finally {
  await ends.end()
}
mkdirSync(path.dirname(values.json), { recursive: true })
writeFileSync(values.json, JSON.stringify(result, null, 1))

const whole = (value) => Math.round(value).toLocaleString('en')
console.log(`${result.machine} ${seconds} s a row.\n`)
console.log('| nodes | with readers of a room | payloads on their way, each node | messages a payload | bytes | messages/s into Redis | payloads/s to nodes | CPU µs a payload | Redis, % of a core | publishers and subscribers | others |')
console.log(`|${' ---: |'.repeat(11)}`)
for (const row of result.rows) {
  const idle = row.cpuPercent < busy ? ', not the busy one' : ''
  console.log(`| ${[row.nodes, row.readers, row.inFlight, row.messages, row.bytes, whole(row.perSecond), whole(row.deliveriesPerSecond),
    row.cpuUsOfAPayload.toFixed(2), `${whole(row.cpuPercent)}${idle}`, whole(row.clientPercent), whole(row.othersPercent)].join(' | ')} |`)
}
const { come, go, bytes, people: count } = result.presence
console.log(`\n${whole(count)} people come: ${come.cpuUs.toFixed(1)} µs of Redis' CPU and ${come.scripts.toFixed(2)} scripts each, ${whole(bytes)} bytes; ` +
  `they go: ${go.cpuUs.toFixed(1)} µs and ${go.scripts.toFixed(2)} scripts each.`)
if (result.rows.some(({ missing }) => missing !== 0)) {
  console.error('redis_limit: a subscriber got more or less than was published.')
  process.exit(1)
}
