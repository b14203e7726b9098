// The nodes of bench/largest_cluster.mjs, their sessions and who sits where.
//
// A small room has its people on two neighbouring nodes, half on each; the hall has some on every node. All
// of them listen to the messages and to the people of their room.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { clientFor } from '../tests/system/clients.mjs'
import { connected } from '../tests/system/cluster.mjs'
import { Server, createRoom, metric, newUser, waitFor } from '../tests/system/harness.mjs'
import { Postgres } from '../tests/system/postgres.mjs'
import { Redis } from '../tests/system/redis.mjs'
import { Holder } from './holder.mjs'
import { childrenOf, userMemory } from './machine.mjs'
import { redisFigures } from './redis_figures.mjs'

const writersMax = 8
const roomsAtOnce = 16

// What is not the default: one loop; two connections to the database, which stands for a machine of its own
// and here has the same two cores; no comparing of idle rooms with it, which each node does with up to 100 a
// second in ten questions; no pings, which at a million sessions are a load and no memory; as many rooms as it takes.
export const settings = [
  '--loops', '1', '--postgres-connections-max', '2', '--relay-check-interval', '1h', '--ping-interval', '1h',
  '--rooms-max', '10000000', '--rooms-per-identity-max', '10000000', '--log-level', 'warn',
]

// How a node's sessions sit: `readers` to a room and node, the hall has `hallSeats` times as many.
export function placesOf(sessions) {
  const readers = sessions >= 1000 ? 50 : Math.max(1, Math.floor(sessions / 10))
  const seats = Math.floor(sessions / readers)
  const hallSeats = 4 + (seats % 2)
  return { readers, hallSeats, shared: (seats - hallSeats) / 2, sessions: seats * readers }
}

export class Cluster {
  nodes = [] // those that live
  clients = [] // theirs
  rooms = 1
  joined = 0
  emptyNodes = { pss: 0, private: 0 } // their memory before anybody came
  #groups = [] // of small rooms: group n is on the nodes n - 1 and n
  #prepared = 0
  #writers = []
  #ends = [] // of processes: all at once, as a million sockets take their time

  static async start(ends, scratch, places, ports) {
    const cluster = new Cluster()
    Object.assign(cluster, { ends, scratch, places })
    cluster.postgres = new Postgres(ends)
    cluster.redis = await Redis.for(ends)
    ends.after(() => Promise.all(cluster.#ends.map((end) => end())))
    cluster.redisPid = redisFigures(cluster.redis).pid
    // Of half of the ports the kernel finds a free one at once.
    cluster.addressesOfANode = Math.ceil(places.sessions / (ports / 4))
    return cluster
  }

  get sessions() {
    return this.joined
  }

  readersOfHall() {
    return this.places.readers * this.places.hallSeats
  }

  // A node without sessions, and a client that has an identity for each of those to come.
  async prepareNode() {
    const { places } = this
    const number = this.#prepared++
    const directory = path.join(this.scratch, `node-${number}`)
    mkdirSync(directory)
    const env = { RTC_POSTGRES_URL: this.postgres.url, RTC_REDIS_URL: this.redis.url, RTC_TOKEN_SECRET: 'a secret of the bench that all nodes know' }
    const node = new Server({ args: settings, env })
    Object.assign(node, { cwd: directory, dataDir: path.join(directory, 'data') })
    this.#ends.push(() => node.running && node.kill9())
    await node.start()
    await connected([node])
    await waitFor('the people to be shared', async () => (await metric(node, 'presence_connected')) === 1)
    const { pss, private: own } = userMemory([node.pid])
    this.emptyNodes.pss += pss
    this.emptyNodes.private += own
    if (number === 0) {
      this.user = await newUser(node)
      ;[this.hall] = await this.#makeRooms(node, 1)
      this.#groups.push(await this.#makeRooms(node, places.shared))
      this.rooms += places.shared
    }
    this.#groups.push(await this.#makeRooms(node, places.shared))
    this.rooms += places.shared
    const roomFile = path.join(directory, 'rooms')
    const rooms = [...Array(places.hallSeats).fill(this.hall), ...this.#groups[number], ...this.#groups[number + 1]]
    writeFileSync(roomFile, `${rooms.join('\n')}\n`)
    const from = Array.from({ length: this.addressesOfANode }, (_, i) => `127.${1 + (number >> 8)}.${number & 255}.${i + 1}`)
    const client = new Holder(node, { roomFile, readers: places.readers, from })
    this.#ends.push(() => client.end())
    await client.prepared
    return { node, client }
  }

  take({ node, client }) {
    this.nodes.push(node)
    this.clients.push(client)
  }

  async addNode() {
    this.take(await this.prepareNode())
  }

  // Until the newest node has so many sessions; the seconds that it took.
  async join(all) {
    const { joined, seconds } = await this.clients.at(-1).join(all)
    this.joined = (this.nodes.length - 1) * this.places.sessions + joined
    return seconds
  }

  async #makeRooms(node, count) {
    const rooms = []
    while (rooms.length < count) {
      const some = Array.from({ length: Math.min(roomsAtOnce, count - rooms.length) }, () => createRoom(node, this.user, 'a room of the bench'))
      rooms.push(...(await Promise.all(some)).map(({ json }) => json.response.roomId))
    }
    return rooms
  }

  // One of the newest node and the one before it.
  smallRoom() {
    return this.#groups[this.nodes.length - 1][0]
  }

  // One of that node and the one before it.
  sharedRoom(number) {
    return this.#groups[number][0]
  }

  // Somebody new at the newest node, in that room.
  async guest(room) {
    const node = this.nodes.at(-1)
    const guest = await clientFor(this.ends, node, await newUser(node))
    await guest.subscribe(`/sub/channel/${room}`, 'room')
    return guest
  }

  // On some nodes somebody who writes.
  async openWriters() {
    const count = Math.min(writersMax, this.nodes.length)
    for (let n = 0; n < count; ++n) {
      const node = this.nodes[Math.floor((n * this.nodes.length) / count)]
      this.#writers.push({ node, client: await clientFor(this.ends, node, this.user) })
    }
  }

  // Into the hall, each time at another node; the message's id once it is stored.
  async post(turn, text) {
    const { client } = this.#writers[turn % this.#writers.length]
    return Number((await client.post(this.hall, text)).headers.id)
  }

  async kill(number) {
    const [node] = this.nodes.splice(number, 1)
    this.clients.splice(number, 1)
    await node.kill9()
    this.#writers = this.#writers.filter((each) => each.node !== node)
  }

  reports() {
    return Promise.all(this.clients.map((client) => client.report()))
  }

  pids() {
    return this.nodes.map(({ pid }) => pid)
  }

  clientPids() {
    return this.clients.map(({ pid }) => pid)
  }

  postgresPids() {
    const postmaster = Number(readFileSync(path.join(this.postgres.directory, 'data/postmaster.pid'), 'utf8').split('\n')[0])
    return [postmaster, ...childrenOf(postmaster)]
  }
}
