// Lighthouse over the page as a phone has it (its mobile profile: a slow network and processor, both
// simulated), from the real program, with Debian's Chromium. Prints the scores and the times behind them,
// and fails where one is below its bar.
//
//   npm --prefix bench/page ci && node bench/page/lighthouse.mjs [runs]
//
// The medians of the runs (5) are docs/benchmarks.md's; the reports stay in build/bench/lighthouse-*.json.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { launch } from 'chrome-launcher';
import lighthouse from 'lighthouse';
import { createRoom, newUser, startServer } from '../../tests/system/harness.mjs';
import { writeHistory } from '../../tests/browser/history.mjs';

const bars = { performance: 95, accessibility: 100, 'best-practices': 100 };
const times = ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time', 'cumulative-layout-shift', 'speed-index'];
const runs = Number(process.argv[2] ?? 5);
const folder = fileURLToPath(new URL('../../build/bench/', import.meta.url));

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

const server = await startServer({});
await writeHistory(server, 1_000, 30);
await createRoom(server, await newUser(server), 'a room');
await mkdir(folder, { recursive: true });
const figures = Object.fromEntries([...Object.keys(bars), ...times, 'total-byte-weight'].map((name) => [name, []]));
try {
  for (let run = 1; run <= runs; run += 1) {
    const chrome = await launch({
      chromePath: process.env.TEST_CHROMIUM ?? '/usr/bin/chromium',
      chromeFlags: ['--headless=new', '--no-sandbox', '--disable-gpu'],
    });
    try {
      const { lhr, report } = await lighthouse(server.url, {
        port: chrome.port,
        output: 'json',
        onlyCategories: Object.keys(bars),
      });
      await writeFile(`${folder}lighthouse-${run}.json`, report);
      for (const name of Object.keys(bars)) figures[name].push(Math.round(lhr.categories[name].score * 100));
      for (const name of [...times, 'total-byte-weight']) figures[name].push(lhr.audits[name].numericValue);
      const wrong = Object.values(lhr.audits).filter(({ score }) => score !== null && score < 1);
      console.log(`run ${run}: ${Object.keys(bars).map((name) => `${name} ${figures[name].at(-1)}`).join(', ')}`);
      for (const { id, score, displayValue = '' } of wrong) console.log(`  ${id}: ${score} ${displayValue}`);
    } finally {
      await chrome.kill();
    }
  }
} finally {
  await server.stop();
}

console.log(`\n| | median of ${runs} | |\n| --- | ---: | --- |`);
for (const [name, bar] of Object.entries(bars)) console.log(`| ${name} | ${median(figures[name])} | at least ${bar} |`);
for (const name of times) {
  const value = median(figures[name]);
  console.log(`| ${name} | ${name.includes('shift') ? value.toFixed(3) : `${Math.round(value)} ms`} | |`);
}
console.log(`| bytes over the wire | ${Math.round(median(figures['total-byte-weight']) / 1024)} KiB | |`);
process.exitCode = Object.entries(bars).every(([name, bar]) => median(figures[name]) >= bar) ? 0 : 1;
