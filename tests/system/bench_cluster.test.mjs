// The benchmarks of many nodes, tiny: nothing is lost, everybody is counted, and the tables are there. No
// figures here.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const bench = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../bench');
const sound = { missing: 0, surplus: 0, holes: 0, repeats: 0 };

// What the script wrote, and what it printed.
async function resultOf(t, script, args) {
  const folder = await mkdtemp(path.join(tmpdir(), 'rtc-bench-'));
  t.after(() => rm(folder, { recursive: true }));
  const json = path.join(folder, 'result.json');
  const { stdout } = await run(process.execPath, [path.join(bench, script), ...args, '--json', json]);
  return { result: JSON.parse(await readFile(json, 'utf8')), stdout };
}

it('holds a cluster, reaches every reader of it, and loses nothing when a node is killed', async (t) => {
  const { result, stdout } = await resultOf(t, 'largest_cluster.mjs', ['--nodes', '2', '--sessions', '50', '--messages', '6']);
  const { nodes, sessions, rooms, timed, kill, joins, memory } = result;
  // Five to a room and node, of the hall four times as many; three small rooms on each node alone, three on both.
  assert.deepEqual({ nodes, sessions, rooms }, { nodes: 2, sessions: 100, rooms: 1 + 3 * 3 });
  assert.equal(timed.messages, 6);
  assert.equal(timed.readersOfAMessage, 2 * 4 * 5);
  assert.equal(timed.allMs.length, 6);
  assert.ok(timed.nodeMs.every((ms) => ms > 0));
  assert.deepEqual({ ...timed.faults, cutOff: timed.cutOff }, { ...sound, cutOff: 0 });
  assert.deepEqual(kill.before, { hall: 40, shared: 10 });
  assert.deepEqual({ ...kill.faults, cutOff: kill.cutOff }, { ...sound, cutOff: 0 });
  assert.equal(kill.receipted + kill.refused, 30);
  assert.ok(kill.ids >= kill.receipted && kill.receipted > 20 && kill.hallSeconds > 0 && kill.sharedSeconds > 0);
  assert.deepEqual(joins.map((step) => [step.nodes, step.sessions, step.joined]), [[1, 50, 50], [2, 100, 50]]);
  assert.ok(joins.every((step) => step.inAll.scripts > 0 && Number.isFinite(step.storm.cpuUs + step.small.cpuUs + step.hall.cpuUs)));
  assert.ok(memory.kernel.sockets >= 200 && memory.nodes.private > 0);
  assert.match(stdout, /\*\*Memory of 100 sessions on 2 nodes\*\*[^]*\*\*A message in the hall, 40 readers; 6 messages\*\*[^]*\*\*What a join costs Redis/);
});

it('says what to do where the machine does not permit it', async () => {
  const refused = (args, words) =>
    assert.rejects(run(process.execPath, [path.join(bench, 'largest_cluster.mjs'), ...args]), ({ code, stderr }) => code === 2 && words.test(stderr));
  await refused(['--sessions', '10000000000'], /a process may open \d+ files here: say --sessions \d+, or raise the hard limit/);
  await refused(['--nodes', '100000', '--sessions', '100'], /say a smaller --nodes|sysctl -w/);
  await refused(['--nodes', '1'], /at least 2 nodes/);
});

it('publishes what Redis takes, and counts that all of it arrives', async (t) => {
  const { result, stdout } = await resultOf(t, 'redis_limit.mjs', ['--seconds', '0.2', '--people', '100']);
  assert.equal(result.rows.length, 7);
  for (const { published, missing, nodes, readers } of result.rows) {
    assert.equal(missing, 0, `${nodes} nodes, ${readers} with readers of a room`);
    assert.ok(published > 0);
  }
  const [one, eight] = [1, 8].map((messages) => result.rows.find((row) => row.messages === messages).bytes);
  assert.ok(eight > one + 7 * 128);
  const { people, come, go, bytes } = result.presence;
  assert.equal(people, 100);
  assert.ok(come.inAll.scripts > 0 && go.inAll.scripts > 0 && bytes > 0);
  assert.match(stdout, /\| messages\/s into Redis \|[^]*100 people come: /);
});
