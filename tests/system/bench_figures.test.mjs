// The tables and plots of bench/ from runs made up here: medians, ratios to the right ruler, refused
// and failed runs named, and pictures that are sound XML with their units and circumstances.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fit, quantile } from '../../bench/runs.mjs';

const bench = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../bench');
const run = promisify(execFile);
const machine = { cores: '2', cpu: 'Some <CPU> & more', kernel: '6.1', commit: 'abc1234', date: '2026-01-31', repeats: '3', small: false };

async function folderOf(t, files) {
  const folder = await mkdtemp(path.join(tmpdir(), 'rtc-bench-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries({ machine, ...files })) {
    await writeFile(path.join(folder, `${name}.json`), JSON.stringify(content));
  }
  return folder;
}

const tableOf = async (folder) => (await run(process.execPath, [path.join(bench, 'table.mjs'), folder])).stdout;
// The cells of the row that begins with that name, in the table of that load.
function cells(table, load, name) {
  const part = table.slice(table.indexOf(`**${load}: `));
  return part.split('\n').find((line) => line.startsWith(`| ${name}`)).split('|').slice(2, -1).map((cell) => cell.trim());
}

// Every tag closed in order, every & an entity: enough of a parser for what plot.mjs writes.
function assertXml(text) {
  const open = [];
  for (const [, end, name, empty] of text.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (end) assert.equal(open.pop(), name);
    else if (!empty) open.push(name);
  }
  assert.deepEqual(open, []);
  assert.doesNotMatch(text, /&(?!#\d+;)|NaN|undefined|Infinity/);
}

const traffic = (each, perSecond) => ({
  deliveries_per_second: perSecond, server_cpu_us_per_delivery: each, latency_p50_us: 1000, latency_p99_us: 2000,
  latency_p99_9_us: 3000, bytes_per_delivery: 200, server_cpu_percent: 90, client_cpu_percent: 50, others_cpu_percent: 5,
});

it('computes quantiles and the slope of a line', () => {
  assert.equal(quantile([3, 1, 2], 0.5), 2);
  assert.equal(quantile([4, 1, 2, 3], 0.5), 2.5);
  const { slope, at } = fit([[0, 5], [1, 7], [2, 9], [3, 11]]);
  assert.ok(Math.abs(slope - 2) < 1e-9 && Math.abs(at(10) - 25) < 1e-9);
});

it('takes medians, and compares each load with its own limit server', async (t) => {
  const runs = {};
  for (const load of ['A', 'B', 'C']) {
    [30, 10, 20].forEach((each, i) => (runs[`${load}-realtimechat-${i + 1}`] = traffic(each, each * 100)));
    runs[`${load}-live-1`] = traffic(8, 3000);
    runs[`${load}-limit-1`] = traffic(10, 1000);
    runs[`${load}-limit_gather-1`] = traffic(5, 4000);
  }
  const table = await tableOf(await folderOf(t, runs));
  assert.deepEqual(cells(table, 'A', 'RealTimeChat |').slice(0, 2), ['2,000', '20.00']);
  assert.equal(cells(table, 'A', 'RealTimeChat |').at(-1), '2.00'); // CPU, × limit
  assert.equal(cells(table, 'B', 'RealTimeChat |').at(-1), '0.50 / 4.00'); // deliveries/s and CPU, × limit-gather
  assert.equal(cells(table, 'C', 'RealTimeChat, room without history').at(-1), '0.75 / 1.60');
  assert.ok(table.startsWith('Machine: 2 cores, Some <CPU> & more, Linux 6.1. Commit abc1234, 2026-01-31.'));
});

it('leaves runs out that were refused, faulty or failed, and says so', async (t) => {
  const folder = await folderOf(t, {
    'A-realtimechat-1': { ...traffic(10, 1000), refused: true },
    'A-realtimechat-2': traffic(40, 1000),
    'A-limit-1': { ...traffic(10, 1000), faulty: true },
    'A-rabbitmq-1': { failed: 'only 3 of 5 could join' },
  });
  const table = await tableOf(folder);
  assert.equal(cells(table, 'A', 'RealTimeChat |')[1], '40.00');
  assert.equal(cells(table, 'A', 'RealTimeChat |').at(-1), '–'); // no ruler is left
  assert.match(table, /\| limit: .* \| no figures: it lost/);
  assert.match(table, /\| RabbitMQ web-stomp \| no figures: only 3 of 5 could join \|/);
});

it('says whether the memory of a soak was flat', async (t) => {
  const soak = { seconds: 1800, sessions: 10, deliveries_per_second: 1, visits_per_second: 1, pages_per_second: 1,
    latency_p99_us: 1000, server_cpu_percent: 5, warm_up_seconds: 300, flat_percent: 2, rss_slope_bytes_per_hour: 2 ** 20 };
  const of = async (last, flat) =>
    tableOf(await folderOf(t, { 'I-realtimechat-1': { ...soak, rss_bytes_first_quarter: 100 * 2 ** 20, rss_bytes_last_quarter: last * 2 ** 20, flat } }));
  assert.match(await of(101, true), /Memory is flat: the last quarter's median is 1\.00 % over the first's .* after 5\.0 minutes/);
  assert.match(await of(150, false), /Memory is NOT flat: the last quarter's median is 50\.00 %/);
});

it('draws what there are figures for, and nothing else', async (t) => {
  const folder = await folderOf(t, {
    'A-realtimechat-1': traffic(10, 1000), 'A-limit-1': traffic(5, 1000), 'B-rabbitmq-1': { failed: 'no' },
    'I-realtimechat-1': { warm_up_seconds: 20, samples: Array.from({ length: 120 }, (_, i) => [i, (50 + (i % 2)) * 2 ** 20]) },
  });
  const out = path.join(folder, 'images');
  await run(process.execPath, [path.join(bench, 'plot.mjs'), folder, out]);
  assert.deepEqual((await readdir(out)).sort(), ['bench-cpu.svg', 'bench-soak.svg']);
  const cpu = await readFile(path.join(out, 'bench-cpu.svg'), 'utf8');
  const soak = await readFile(path.join(out, 'bench-soak.svg'), 'utf8');
  for (const picture of [cpu, soak]) {
    assertXml(picture);
    assert.match(picture, /<title>.+<\/title>/);
    assert.match(picture, /prefers-color-scheme: dark/);
    assert.match(picture, /Some &#60;CPU&#62; &#38; more.*Commit abc1234/);
  }
  assert.match(cpu, />microseconds a delivery \(logarithmic\)</);
  assert.doesNotMatch(cpu, /RabbitMQ/);
  assert.match(soak, />resident memory, MiB</);
  // The longer bar is the one that costs more, by their logarithms: one decade from 1 to 10.
  const widths = [...cpu.matchAll(/width="([\d.]+)" height="16" class="(own|other)"/g)].map(([, width]) => Number(width));
  assert.equal(widths.length, 2);
  assert.ok(Math.abs(widths[1] / widths[0] - Math.log10(5)) < 0.01, widths.join(' '));
});
