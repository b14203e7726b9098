// A Kafka for one test, that can be down, hang and come back: librdkafka's mock of a cluster, in a
// process of its own (mock_kafka.cpp). And nodes that share it and a PostgreSQL server.
//
// TEST_KAFKA=host:port: tests that need no failures take that real one, with a topic each; it must
// make topics that are asked for.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connected, patient, unhurried, withFlags } from './cluster.mjs';
import { Server, nodesBefore, stopAfter, within } from './harness.mjs';
import { Postgres } from './postgres.mjs';

const topic = 'chat-of-the-tests';

let program;
function mockProgram() {
  if (program === undefined) {
    const directory = mkdtempSync(path.join(tmpdir(), 'rtc-mock-kafka-'));
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
    program = path.join(directory, 'mock_kafka');
    const source = fileURLToPath(new URL('mock_kafka.cpp', import.meta.url));
    execFileSync('g++', ['-std=c++20', '-O1', '-o', program, source, '-lrdkafka']);
  }
  return program;
}

export class MockKafka {
  static brokers = 3;  // by the numbers 1, 2, 3
  static partitions = 6;
  topic = topic;
  #child;
  #lines;

  static async for(t) {
    nodesBefore(t);
    const kafka = new MockKafka();
    kafka.#child = spawn(mockProgram(), [String(this.brokers), topic, String(this.partitions)], { stdio: ['pipe', 'pipe', 'ignore'] });
    const ended = new Promise((resolve) => kafka.#child.once('close', resolve));
    t.after(async () => {
      kafka.#child.kill('SIGKILL');
      await ended;
    });
    kafka.#lines = createInterface({ input: kafka.#child.stdout })[Symbol.asyncIterator]();
    kafka.brokers = await kafka.#line();
    return kafka;
  }

  async #line() {
    const { value, done } = await within('the mock of Kafka to answer', this.#lines.next());
    if (done) throw new Error('the mock of Kafka has ended');
    return value;
  }

  async #tell(order) {
    this.#child.stdin.write(`${order}\n`);
    await this.#line();
  }

  // One broker, or all of them.
  down(broker = -1) {
    return this.#tell(`down ${broker}`);
  }

  up(broker = -1) {
    return this.#tell(`up ${broker}`);
  }

  // These brokers lead all partitions from now on, in turn.
  async lead(...brokers) {
    for (let n = 0; n < MockKafka.partitions; ++n) await this.#tell(`lead ${n} ${brokers[n % brokers.length]}`);
  }

  // It hangs: connections stay, and nothing is answered.
  freeze() {
    this.#child.kill('SIGSTOP');
  }

  thaw() {
    this.#child.kill('SIGCONT');
  }
}

// The mock, or the real one.
export async function anyKafkaFor(t) {
  if (!process.env.TEST_KAFKA) return MockKafka.for(t);
  return { brokers: process.env.TEST_KAFKA, topic: `rtc-test-${randomUUID()}` };
}

// So many nodes over one database and one Kafka, all connected. `args` are each one's.
export async function clusterFor(t, count, args = [], kafkaFor = anyKafkaFor) {
  const postgres = new Postgres(t);
  const kafka = await kafkaFor(t);
  const env = {
    RTC_POSTGRES_URL: postgres.url,
    RTC_KAFKA_BROKERS: kafka.brokers,
    RTC_KAFKA_TOPIC: kafka.topic,
    RTC_TOKEN_SECRET: 'a secret of the tests that all nodes know',
  };
  const flags = withFlags([...unhurried, ...args], { ...patient, '--kafka-timeout': '30s' });
  const nodes = Array.from({ length: count }, () => new Server({ args: flags, env }));
  for (const node of nodes) {
    stopAfter(t, node);
    await node.start();
  }
  await connected(nodes);
  return { postgres, kafka, nodes };
}
