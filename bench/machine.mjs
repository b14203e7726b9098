// What /proc says: the machine's memory and limits, and what processes use of it. Bytes and seconds.
import { execFileSync } from 'node:child_process'
import { cpus, release } from 'node:os'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const pageBytes = 4096
const ticksPerSecond = 100

const read = (file) => readFileSync(file, 'latin1')
const numberOf = (file) => Number(read(file).trim())

// The lines "Name:  123 kB" of a file, in bytes.
function kilobytes(file, ...names) {
  const text = read(file)
  return names.map((name) => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024)
}

export function machineMemory() {
  const [total, available] = kilobytes('/proc/meminfo', 'MemTotal', 'MemAvailable')
  return { total, available }
}

// All that the kernel keeps for everybody, in the parts that grow with sockets and processes.
export function kernelMemory() {
  const [slab, stacks, tables] = kilobytes('/proc/meminfo', 'Slab', 'KernelStack', 'PageTables')
  const [, sockets, pages] = /^TCP: inuse (\d+) .* mem (\d+)/m.exec(read('/proc/net/sockstat'))
  return { slab, stacks, tables, buffers: Number(pages) * pageBytes, sockets: Number(sockets) }
}

const add = (sum, each) => {
  for (const [name, value] of Object.entries(each)) sum[name] = (sum[name] ?? 0) + value
  return sum
}

// Of all these processes together; those that ended meanwhile count nothing.
export const userMemory = (pids) =>
  pids.reduce((sum, pid) => {
    try {
      const [pss, dirty] = kilobytes(`/proc/${pid}/smaps_rollup`, 'Pss', 'Private_Dirty')
      return add(sum, { pss, private: dirty })
    } catch {
      return sum
    }
  }, { pss: 0, private: 0 })

export const cpuSeconds = (pids) =>
  pids.reduce((sum, pid) => {
    try {
      const [user, system] = read(`/proc/${pid}/stat`).split(') ')[1].split(' ').slice(11, 13)
      return sum + (Number(user) + Number(system)) / ticksPerSecond
    } catch {
      return sum
    }
  }, 0)

// Of everything on this machine.
export function busySeconds() {
  const [, user, nice, system, , , irq, softIrq] = read('/proc/stat').split('\n')[0].split(/ +/).map(Number)
  return (user + nice + system + irq + softIrq) / ticksPerSecond
}

export function childrenOf(pid) {
  try {
    return execFileSync('pgrep', ['-P', String(pid)]).toString().trim().split('\n').map(Number)
  } catch {
    return [] // it has none
  }
}

// `tracked`: connections that the firewall keeps now, of `trackedMax`; 0 where it keeps none.
export function limits() {
  const optional = (file) => {
    try {
      return numberOf(file)
    } catch {
      return 0
    }
  }
  const [low, high] = read('/proc/sys/net/ipv4/ip_local_port_range').trim().split(/\s+/).map(Number)
  return {
    descriptors: Number(/^Max open files +\d+ +(\d+|unlimited)/m.exec(read('/proc/self/limits'))[1].replace('unlimited', 1e9)),
    descriptorsInAll: numberOf('/proc/sys/fs/file-max'),
    ports: high - low + 1,
    backlog: numberOf('/proc/sys/net/core/somaxconn'),
    tracked: optional('/proc/sys/net/netfilter/nf_conntrack_count'),
    trackedMax: optional('/proc/sys/net/netfilter/nf_conntrack_max'),
  }
}

// As a table's first line says it.
export function machineLine() {
  const model = cpus()[0].model.trim()
  const gib = Math.round(machineMemory().total / 2 ** 30)
  const commit = execFileSync('git', ['-C', here, 'rev-parse', '--short', 'HEAD'])
  return `Machine: ${cpus().length} cores, ${model}, ${gib} GiB, Linux ${release()}. Commit ${commit.toString().trim()}, ${new Date().toISOString().slice(0, 10)}.`
}
