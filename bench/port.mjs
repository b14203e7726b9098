// A port that is free on 127.0.0.1, below those that the kernel gives to outgoing connections: who asks
// one of those whether somebody listens yet may end up connected to himself. And not one of those that
// the system tests have for themselves (tests/system/harness.mjs).
//
//   node bench/port.mjs
import net from 'node:net'
import { fileURLToPath } from 'node:url'

const canListen = (port) =>
  new Promise((resolve) => {
    const probe = net.createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })

export async function freePort() {
  for (let tries = 0; tries < 200; ++tries) {
    const port = 30_000 + Math.floor(Math.random() * 2_000)
    if (await canListen(port)) return port
  }
  throw new Error('no free port')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await freePort())
