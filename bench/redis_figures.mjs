// What a Redis has done so far, by its own count.

const ofNothing = new Set(['info', 'config|get', 'config|set', 'ping', 'client|list'])

// `calls` of each command, those of scripts included; `cpuUs` of its one thread.
export function redisFigures(redis) {
  const info = redis.ask('INFO', 'everything')
  if (info === '') throw new Error('Redis does not answer')
  const field = (name) => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(info)[1])
  const calls = {}
  for (const [, name, count] of info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
    if (!ofNothing.has(name)) calls[name] = Number(count)
  }
  return {
    pid: field('process_id'),
    calls,
    cpuUs: (field('used_cpu_user') + field('used_cpu_sys')) * 1e6,
    memory: field('used_memory'),
    channels: field('pubsub_channels'),
    timeUs: Number(process.hrtime.bigint() / 1000n),
  }
}

// What it did between the two; `scripts` and `commands` (all, those of scripts too) are counts.
export function redisWork(before, after) {
  let commands = 0
  for (const [name, count] of Object.entries(after.calls)) commands += count - (before.calls[name] ?? 0)
  const scripts = (after.calls.evalsha ?? 0) - (before.calls.evalsha ?? 0)
  return { seconds: (after.timeUs - before.timeUs) / 1e6, cpuUs: after.cpuUs - before.cpuUs, scripts, commands }
}
