// The tables of bench/largest_cluster.mjs, as Markdown.
import { quantile } from './runs.mjs'

const whole = (value) => Math.round(value).toLocaleString('en')
const one = (value) => value.toFixed(1)
const mib = (bytes) => whole(bytes / 2 ** 20)

function table(head, rows) {
  console.log(`| ${head.join(' | ')} |`)
  console.log(`| --- |${' ---: |'.repeat(head.length - 1)}`)
  for (const row of rows) console.log(`| ${row.join(' | ')} |`)
  console.log()
}

function printMemory({ memory, memoryBefore, sessions, nodes }) {
  const { kernel } = memory
  const grown = (name) => kernel[name] - memoryBefore.kernel[name]
  const row = (name, bytes) => [name, mib(bytes), whole(bytes / sessions)]
  const kernelBytes = ['slab', 'stacks', 'tables', 'buffers'].reduce((sum, name) => sum + grown(name), 0)
  const user = memory.nodes.private - memoryBefore.nodes.private
  console.log(`**Memory of ${whole(sessions)} sessions on ${nodes} nodes**\n`)
  table(['', 'MiB', 'bytes a session'], [
    row('nodes, private, beyond the empty nodes', user),
    row('empty nodes, private', memoryBefore.nodes.private),
    row('Redis, private', memory.redis.private),
    row('PostgreSQL, its share of what is shared included (PSS)', memory.postgres.pss),
    row('kernel, both ends of each connection: its objects (slab)', grown('slab')),
    row('kernel: stacks, page tables, socket buffers', kernelBytes - grown('slab')),
    row('clients, private', memory.clients.private),
  ])
}

function printMessages({ timed, idle, writing }) {
  const ms = (values, q) => whole(quantile(values, q))
  console.log(`**A message in the hall, ${whole(timed.readersOfAMessage)} readers; ${timed.messages} messages**\n`)
  table(['ms from its SEND until', 'p50', 'p99', 'most'], [
    ['all readers of a node have it (each node, each message)', ms(timed.nodeMs, 0.5), ms(timed.nodeMs, 0.99), whole(Math.max(...timed.nodeMs))],
    ['all readers of the last node have it', ms(timed.allMs, 0.5), ms(timed.allMs, 0.99), whole(Math.max(...timed.allMs))],
  ])
  table(['percent of a core', 'nodes', 'clients', 'Redis', 'PostgreSQL', 'others'],
    [['nobody writes', idle], ['while these messages were sent', writing]].map(([name, used]) =>
      [name, ...['nodes', 'clients', 'redis', 'postgres', 'others'].map((of) => one(used[of]))]))
}

function printJoins({ joins }) {
  const probed = joins.filter(({ storm }) => storm)
  const perJoin = ({ cpuUs, scripts, commands }) => `${whole(cpuUs)} / ${one(scripts)} / ${whole(commands)}`
  console.log('**What a join costs Redis: µs of its CPU / scripts / commands, those in scripts included**\n')
  table(['sessions (nodes)', 'in a storm', 'alone, small room', 'alone, hall', 'storm: joins/s', 'idle: Redis, % of a core', 'commands/s', 'Redis, MiB'],
    probed.map((step) => [`${whole(step.sessions)} (${step.nodes})`, perJoin(step.storm), perJoin(step.small), perJoin(step.hall),
      whole(step.joined / step.seconds), one(step.idle.cpuPercent), whole(step.idle.commandsPerSecond), mib(step.redisBytes)]))
}

export function print(result) {
  const { kill, timed } = result
  const list = ({ missing, surplus, holes, repeats }) => `${missing} missing, ${surplus} too many, ${holes} holes, ${repeats} repeats`
  console.log(`${result.machine}\n`)
  console.log(`${result.nodes} nodes, ${whole(result.sessions)} sessions in ${whole(result.rooms)} rooms, all in after ${whole(result.joinSeconds)} s. ` +
    `The hall has ${whole(result.hallSeats * result.placesOfARoom)} people on each node; a small room ${result.placesOfARoom} on each of two nodes.\n`)
  printMemory(result)
  printMessages(result)
  printJoins(result)
  console.log(`Messages to all nodes: ${list(timed.faults)}.`)
  console.log(`A node killed: ${kill.receipted} messages receipted (${kill.refused} were not), ${kill.ids} ids; on the other nodes ${list(kill.faults)}. ` +
    `Its people left the hall after ${one(kill.hallSeconds)} s and a small room after ${one(kill.sharedSeconds)} s; ${kill.cutOff} sessions of other nodes were cut off.`)
}
