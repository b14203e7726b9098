// Counts what PostgreSQL is asked for 1,000 loads of a room's newest page: without either, with Redis
// alone, with each node's memory, and with that and Redis, which fills it (docs/adr/0021). It makes its
// own PostgreSQL and Redis, two nodes over them, and a writer on the first node; pages are loaded from the
// second.
//
//   script/setup test; node bench/page_loads.mjs
//
// Counts, not times: it may run beside other work.
import { execFileSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { connected } from '../tests/system/cluster.mjs'
import { Server, history, newRoom, newUser } from '../tests/system/harness.mjs'
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

async function measure({ memory, redis: withRedis, atOnce, loadsPerMessage }) {
  const ends = new Ends()
  try {
    const postgres = new Postgres(ends)
    appendFileSync(`${postgres.directory}/data/postgresql.auto.conf`, "shared_preload_libraries = 'pg_stat_statements'\n")
    await postgres.kill9()
    await postgres.restart()
    execFileSync('psql', [postgres.url, '-Xqc', 'CREATE EXTENSION pg_stat_statements'])
    const redis = withRedis ? await Redis.for(ends) : null
    const env = { RTC_POSTGRES_URL: postgres.url, RTC_TOKEN_SECRET: 'a secret of the bench that both nodes know' }
    if (redis) env.RTC_REDIS_URL = redis.url
    const args = ['--loops', '2', '--send-rate-max', '1000000', '--send-burst-max', '1000000']
    if (!memory) args.push('--page-cache-bytes-max', '0B')
    const nodes = [new Server({ args, env }), new Server({ args, env })]
    for (const node of nodes) {
      ends.after(() => node.stop())
      await node.start()
    }
    if (redis) await connected(nodes)
    const user = await newUser(nodes[0])
    const room = await newRoom(nodes[0], user)
    const writer = await clientFor(ends, nodes[0], user)
    for (let n = 0; n < kept; ++n) await writer.post(room, `message ${n}`)
    await memberFor(ends, nodes[1], user, room) // somebody reads there, as in a busy room
    for (let n = 0; n < 30; ++n) await history(nodes[1], user, room, { limit }) // each loop knows the room
    execFileSync('psql', [postgres.url, '-XAtqc', 'SELECT pg_stat_statements_reset()'])
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

console.log('| caches | loads at once | messages meanwhile | queries for pages | messages read | comparisons | rooms looked up | stale pages |')
console.log('| --- | --: | --: | --: | --: | --: | --: | --: |')
for (const loadsPerMessage of [0, 10]) {
  for (const atOnce of [1, 64]) {
    for (const [name, memory, redis] of [['none', false, false], ['Redis', false, true], ['memory', true, false], ['memory and Redis', true, true]]) {
      const { pages, messages, comparisons, rooms, written, stale } = await measure({ memory, redis, atOnce, loadsPerMessage })
      console.log(`| ${name} | ${atOnce} | ${written} | ${pages} | ${messages} | ${comparisons} | ${rooms} | ${stale} |`)
    }
  }
}
