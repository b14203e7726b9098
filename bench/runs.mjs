// What script/bench recorded, for those who draw it: table.mjs and plot.mjs.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

// The servers, in the order of every table and plot.
export const servers = {
  realtimechat: 'RealTimeChat',
  live: 'RealTimeChat, room without history',
  postgres: 'RealTimeChat over PostgreSQL',
  cluster: 'RealTimeChat over PostgreSQL and Redis, one of two nodes',
  limit: 'limit: a write per delivery',
  limit_gather: 'limit-gather: a write per session and turn',
  uws: 'uWebSockets, its topics',
  ws: 'Node ws',
  spring: "Spring's simple broker",
  rabbitmq: 'RabbitMQ web-stomp',
  activemq: 'ActiveMQ Classic',
}

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = share * (sorted.length - 1)
  const below = Math.floor(at)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below)
}

export const median = (values) => quantile(values, 0.5)

// The least squares' line through [x, y] points.
export function fit(points) {
  const mean = (axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  let covariance = 0
  let variance = 0
  for (const point of points) {
    covariance += (point[0] - x) * (point[1] - y)
    variance += (point[0] - x) ** 2
  }
  const slope = variance > 0 ? covariance / variance : 0
  return { slope, at: (where) => y + slope * (where - x) }
}

// runs[load][server]: the JSON of each run, in order.
export function readRuns(directory) {
  const runs = {}
  for (const file of readdirSync(directory).sort()) {
    const [, load, server] = file.match(/^([A-Z]\d*)-(\w+)-\d+\.json$/) ?? []
    if (!load) continue
    const of = ((runs[load] ??= {})[server] ??= [])
    of.push(JSON.parse(readFileSync(join(directory, file), 'utf8')))
  }
  return runs
}

// Why a run gives no figures; undefined when it does.
export function objection(run) {
  if (run.failed) return run.failed
  if (run.faulty) return 'it lost, repeated or disordered messages, or cut somebody off'
  if (run.refused) return 'the client was the busy side'
  return undefined
}

export const usable = (runs = []) => runs.filter((run) => objection(run) === undefined)

// The median of that figure over the usable runs; undefined without one.
export function figure(runs, key) {
  const values = usable(runs).map((run) => run[key]).filter((value) => value !== undefined)
  return values.length > 0 ? median(values) : undefined
}

// Where and when it was measured: one sentence each.
export function circumstances(directory) {
  const file = join(directory, 'machine.json')
  if (!existsSync(file)) return []
  const { cores, cpu, kernel, commit, date, repeats, small } = JSON.parse(readFileSync(file, 'utf8'))
  const sentences = [
    `Machine: ${cores} cores, ${cpu}, Linux ${kernel}.`,
    `Commit ${commit}, ${date}.`,
    `Medians of ${repeats} (E, G, H, I, P, S: one run).`,
  ]
  if (small) sentences.unshift('A TRIAL, SHORTER AND SMALLER THAN IT SAYS: NO FIGURES TO KEEP.')
  return sentences
}
