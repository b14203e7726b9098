// One rtc_load in its mode `hold` (bench/load/hold.hpp): the sessions of one node, told what to do.
import { spawn } from 'node:child_process'
import path from 'node:path'
import readline from 'node:readline'
import { program } from '../tests/system/harness.mjs'

const client = path.join(path.dirname(program), 'rtc_load')

export class Holder {
  #child
  #waiting = []
  #stderr = ''
  #ended

  // `from`: addresses to connect from; `roomFile`: rooms, of which each has `readers` sessions.
  constructor(node, { roomFile, readers, from = [] }) {
    this.#child = spawn(client, [`${node.wsUrl}/ws`, '--mode', 'hold', '--room-file', roomFile, '--readers', readers,
      '--also-subscribe', '/sub/channel/{room}/presence', '--patience', 120, '--at-once', 64,
      ...from.flatMap((address) => ['--from', address])].map(String))
    this.pid = this.#child.pid
    this.#child.stdin.on('error', () => {}) // what it did not read is told by its end
    this.#child.stderr.on('data', (data) => (this.#stderr += data))
    readline.createInterface({ input: this.#child.stdout }).on('line', (line) => this.#waiting.shift()?.resolve(JSON.parse(line)))
    this.#ended = new Promise((resolve) => {
      const end = (why) => {
        for (const { reject } of this.#waiting.splice(0)) reject(new Error(`rtc_load ended (${why}): ${this.#stderr.trim()}`))
        resolve()
      }
      this.#child.once('error', (error) => end(error.message))
      this.#child.once('close', (code, signal) => end(code ?? signal))
    })
    this.prepared = this.#answer() // all have their tokens
    this.prepared.catch(() => {})
  }

  #answer() {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  #ask(line) {
    const answer = this.#answer()
    if (this.#child.exitCode !== null) this.#waiting.pop().reject(new Error(`rtc_load has ended: ${this.#stderr.trim()}`))
    else this.#child.stdin.write(`${line}\n`)
    return answer
  }

  // Opens sessions until there are so many.
  async join(all) {
    await this.prepared
    return this.#ask(`join ${all}`)
  }

  report() {
    return this.#ask('report')
  }

  // All of its sessions are cut off.
  async end() {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}
