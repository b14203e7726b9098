// Counts what PostgreSQL is asked for 1,000 loads of newest pages: without either cache, with Redis alone,
// with each node's memory, and with both (docs/adr/0021); of one busy room, and of 100 rooms by a node that
// has just been started. It makes its own PostgreSQL and Redis, two nodes over them, and a writer on the
// first node; pages are loaded from the second.
//
//   script/setup test; node bench/page_loads.mjs
//
// Counts, not times: it may run beside other work.
import { execFileSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { connected } from '../tests/system/cluster.mjs'
import { Server, history, metric, newRoom, newUser, waitFor } from '../tests/system/harness.mjs'
import { clientFor, memberFor } from '../tests/system/clients.mjs'
import { Postgres } from '../tests/system/postgres.mjs'
import { Redis } from '../tests/system/redis.mjs'
import { Ends } from './ends.mjs'

const loads = 1000
const limit = 50
const kept = 300 // messages of the room before the count

function statements(postgres, statement) {
  const lines = execFileSync('psql', [postgres.url, '-XAtqc', statement]).toString().trim()
  return lines === '' ? [] : lines.split('\n').map((line) => line.split('|'))
}

// calls and rows of what pages are read by (what RoomOrder misses is read so too), of its comparisons of
// rooms with the database, and of looking rooms up.
function asked(postgres) {
  const found = { pages: 0, messages: 0, comparisons: 0, rooms: 0 }
  for (const [calls, rows, query] of statements(
    postgres,
    "SELECT calls, rows, regexp_replace(query, '\\s+', ' ', 'g') FROM pg_stat_statements",
  )) {
    if (/^SELECT id, sender,.* FROM messages/.test(query)) {
      found.pages += Number(calls)
      found.messages += Number(rows)
    } else if (/^SELECT rooms\.id FROM unnest\(.* WHERE rooms\.newest > d\.newest/.test(query)) {
      found.comparisons += Number(calls)
    } else if (/^SELECT id, kind,.* FROM rooms WHERE id = /.test(query)) {
      found.rooms += Number(calls)
    }
  }
  return found
}

const caches = [
  { name: 'none', memory: false, redis: false },
  { name: 'Redis', memory: false, redis: true },
  { name: 'memory', memory: true, redis: false },
  { name: 'memory and Redis', memory: true, redis: true },
]

// Without Redis for the pages the nodes have it all the same.
async function clusterWith(ends, { memory, redis: pagesInRedis }) {
  const postgres = new Postgres(ends)
  appendFileSync(`${postgres.directory}/data/postgresql.auto.conf`, "shared_preload_libraries = 'pg_stat_statements'\n")
  await postgres.kill9()
  await postgres.restart()
  execFileSync('psql', [postgres.url, '-Xqc', 'CREATE EXTENSION pg_stat_statements'])
  const redis = await Redis.for(ends)
  const env = {
    RTC_POSTGRES_URL: postgres.url,
    RTC_REDIS_URL: redis.url,
    RTC_TOKEN_SECRET: 'a secret of the bench that both nodes know',
  }
  const args = ['--loops', '2', '--send-rate-max', '1000000', '--send-burst-max', '1000000', '--rooms-per-identity-max', '1000']
  if (!memory) args.push('--page-cache-bytes-max', '0B')
  if (!pagesInRedis) args.push('--redis-pages-bytes-max', '0B')
  const nodes = [new Server({ args, env }), new Server({ args, env })]
  for (const node of nodes) {
    ends.after(() => node.stop())
    await node.start()
  }
  await connected(nodes)
  if (pagesInRedis) await pagesConnected(nodes)
  return { postgres, nodes }
}

async function pagesConnected(nodes) {
  for (const node of nodes) {
    await waitFor('Redis to have pages', async () => (await metric(node, 'redis_pages_connected')) === 1)
  }
}

const forget = ({ url }) => execFileSync('psql', [url, '-XAtqc', 'SELECT pg_stat_statements_reset()'])

// One room, in which somebody listens on the second node too.
async function busyRoom({ atOnce, loadsPerMessage, ...with_ }) {
  const ends = new Ends()
  try {
    const { postgres, nodes } = await clusterWith(ends, with_)
    const user = await newUser(nodes[0])
    const room = await newRoom(nodes[0], user)
    const writer = await clientFor(ends, nodes[0], user)
    for (let n = 0; n < kept; ++n) await writer.post(room, `message ${n}`)
    await memberFor(ends, nodes[1], user, room)
    for (let n = 0; n < 30; ++n) await history(nodes[1], user, room, { limit }) // each loop knows the room
    forget(postgres)
    let done = 0
    let written = 0
    let receipted = kept
    let stale = 0
    const write = async () => {
      const { headers } = await writer.post(room, `more ${++written}`)
      receipted = Number(headers.id)
    }
    const load = async () => {
      while (done < loads) {
        const number = done++
        if (loadsPerMessage > 0 && number % loadsPerMessage === 0) await write()
        const least = receipted
        const page = await history(nodes[1], user, room, { limit })
        if (page[0].id < least) stale += 1
      }
    }
    await Promise.all(Array.from({ length: atOnce }, load))
    return { ...asked(postgres), written, stale }
  } finally {
    await ends.end()
  }
}

// Rooms that nobody listens to, each loaded ten times by a node that has just been started.
async function freshNode(with_) {
  const ends = new Ends()
  try {
    const { postgres, nodes } = await clusterWith(ends, with_)
    const user = await newUser(nodes[0])
    const rooms = []
    for (let n = 0; n < 100; ++n) rooms.push(await newRoom(nodes[0], user))
    const writer = await clientFor(ends, nodes[0], user)
    for (const room of rooms) for (let n = 0; n < 60; ++n) await writer.post(room, `message ${n}`)
    for (const room of rooms) await history(nodes[1], user, room, { limit })
    await nodes[1].terminate()
    await nodes[1].restart()
    await connected(nodes)
    if (with_.redis) await pagesConnected(nodes)
    forget(postgres)
    for (let round = 0; round < loads / rooms.length; ++round) {
      for (const room of rooms) await history(nodes[1], user, room, { limit })
    }
    return asked(postgres)
  } finally {
    await ends.end()
  }
}

console.log('| caches | loads at once | messages meanwhile | queries for pages | messages read | comparisons | rooms looked up | stale pages |')
console.log('| --- | --: | --: | --: | --: | --: | --: | --: |')
for (const loadsPerMessage of [0, 10]) {
  for (const atOnce of [1, 64]) {
    for (const { name, ...with_ } of caches) {
      const { pages, messages, comparisons, rooms, written, stale } = await busyRoom({ ...with_, atOnce, loadsPerMessage })
      console.log(`| ${name} | ${atOnce} | ${written} | ${pages} | ${messages} | ${comparisons} | ${rooms} | ${stale} |`)
    }
  }
}
console.log('\n100 rooms, ten loads each, by a node that has just been started:\n')
console.log('| caches | queries for pages | messages read |')
console.log('| --- | --: | --: |')
for (const { name, ...with_ } of caches) {
  const { pages, messages } = await freshNode(with_)
  console.log(`| ${name} | ${pages} | ${messages} |`)
}
