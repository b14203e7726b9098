// Lighthouse over the page as a phone has it (its mobile profile: a slow network and processor, both
// simulated), from the real program, with Debian's Chromium. Prints the scores and the times behind them,
// and fails where one is below its bar.
//
//   npm --prefix bench/page ci && node bench/page/lighthouse.mjs [runs]
//
// The medians of the runs (5) are docs/benchmarks.md's; the reports stay in build/bench/lighthouse-*.json.
// The bars are for Lighthouse's own settings, which multiply the time of this machine's processor by four,
// whatever machine it is. Where its benchmark index says that this is no fast desktop, the same is measured
// once more with the multiplier that Lighthouse's docs/throttling.md gives for such a machine.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { launch } from 'chrome-launcher';
import lighthouse from 'lighthouse';
import { throttling } from 'lighthouse/core/config/constants.js';
import { createRoom, newUser, startServer } from '../../tests/system/harness.mjs';
import { writeHistory } from '../../tests/browser/history.mjs';

const bars = { performance: 95, accessibility: 100, 'best-practices': 100 };
const times = ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time', 'cumulative-layout-shift', 'speed-index'];
const runs = Number(process.argv[2] ?? 5);
const folder = fileURLToPath(new URL('../../build/bench/', import.meta.url));

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** From a machine of that benchmark index to a phone of the middle class, by the table of docs/throttling.md. */
const multiplierOf = (index) => (index >= 1500 ? 4 : index >= 800 ? 2 : 1);

/** One run's figures by name. */
async function measure(url, cpuSlowdownMultiplier, name) {
  const chrome = await launch({
    chromePath: process.env.TEST_CHROMIUM ?? '/usr/bin/chromium',
    chromeFlags: ['--headless=new', '--no-sandbox', '--disable-gpu'],
  });
  try {
    const { lhr, report } = await lighthouse(url, {
      port: chrome.port,
      output: 'json',
      onlyCategories: Object.keys(bars),
      throttling: { ...throttling.mobileSlow4G, cpuSlowdownMultiplier },
    });
    await writeFile(`${folder}lighthouse-${name}.json`, report);
    const figures = { 'benchmark index': lhr.environment.benchmarkIndex };
    for (const bar of Object.keys(bars)) figures[bar] = Math.round(lhr.categories[bar].score * 100);
    for (const each of [...times, 'total-byte-weight']) figures[each] = lhr.audits[each].numericValue;
    const scores = Object.keys(bars).map((bar) => `${bar} ${figures[bar]}`);
    console.log(`${name}: ${scores.join(', ')}, benchmark index ${Math.round(figures['benchmark index'])}`);
    const wrong = Object.values(lhr.audits).filter(({ score }) => score !== null && score < 1);
    for (const { id, score, displayValue = '' } of wrong) console.log(`  ${id}: ${score} ${displayValue}`);
    return figures;
  } finally {
    await chrome.kill();
  }
}

/** The medians of all runs, and the least and the most of each. */
async function series(url, multiplier) {
  const all = [];
  for (let run = 1; run <= runs; run += 1) all.push(await measure(url, multiplier, `${multiplier}x-${run}`));
  const of = (name) => all.map((figures) => figures[name]);
  const text = (name, round = Math.round) =>
    [median(of(name)), Math.min(...of(name)), Math.max(...of(name))].map(round);
  const row = (name, unit, [middle, least, most], bar = '') =>
    console.log(`| ${name} | ${middle}${unit} | ${least} to ${most} | ${bar} |`);
  console.log(`\n| processor slowed ${multiplier} times | median of ${runs} | from, to | |\n| --- | ---: | ---: | --- |`);
  for (const [name, bar] of Object.entries(bars)) row(name, '', text(name), `at least ${bar}`);
  for (const name of times) {
    if (name.includes('shift')) row(name, '', text(name, (value) => value.toFixed(3)));
    else row(name, ' ms', text(name));
  }
  row('bytes over the wire', ' KiB', text('total-byte-weight', (bytes) => Math.round(bytes / 1024)));
  row('benchmark index', '', text('benchmark index'));
  console.log('');
  return Object.fromEntries([...Object.keys(bars), 'benchmark index'].map((name) => [name, median(of(name))]));
}

const server = await startServer({});
try {
  await writeHistory(server, 1_000, 30);
  await createRoom(server, await newUser(server), 'a room');
  await mkdir(folder, { recursive: true });
  const medians = await series(server.url, throttling.mobileSlow4G.cpuSlowdownMultiplier);
  const multiplier = multiplierOf(medians['benchmark index']);
  if (multiplier !== throttling.mobileSlow4G.cpuSlowdownMultiplier) await series(server.url, multiplier);
  process.exitCode = Object.entries(bars).every(([name, bar]) => medians[name] >= bar) ? 0 : 1;
} finally {
  await server.stop();
}
