// Somebody is banned while he has the page open: he is told, in his language, and the page rests.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { metric, runToEnd, waitFor } from '../system/harness.mjs';
import { launchBrowser, Person, startServer } from './people.mjs';
import { Proxy } from './proxy.mjs';

let browser;
let server;
let proxy;

before(async () => {
  browser = await launchBrowser();
  server = await startServer();
  proxy = await Proxy.start(server.url);
});

after(async () => {
  await browser.close();
  await proxy.stop();
  await server.stop();
});

async function command(...flags) {
  const { code, output } = await runToEnd([...flags, '--data-dir', server.dataDir]);
  assert.equal(code, 0, output);
}

test('who is banned is told so in both languages, is left in peace, and comes again when it is over', async () => {
  const anna = await Person.join(browser, proxy.url, { mayLoseServer: true });
  const eve = await Person.join(browser, proxy.url, { mayLoseServer: true });
  await eve.page.clock.install();
  await eve.page.reload();
  await eve.connected();
  await anna.sees(2);
  // What the service workers keep they have now, and do not ask for later.
  for (const { page } of [anna, eve]) await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  const id = await eve.identity();
  await command('--ban', `user:${id}`, '--ban-for', '90m', '--ban-reason', '광고를 올렸어요 <b>!</b>');
  await eve.state('banned');
  const notice = eve.at('notice');
  await notice.getByText('You have been banned from this chat.').waitFor();
  await notice.getByText('Reason: 광고를 올렸어요 <b>!</b>').waitFor();
  assert.match(await notice.innerText(), /Until [A-Z][a-z]{2} \d+, \d{4}, /);
  assert.equal(await eve.at('notice-open').count(), 0);
  await eve.at('language').click();
  await notice.getByText('이 채팅에서 차단되었어요.').waitFor();
  // All but the reason, which is in the operator's own words.
  const korean = (await notice.innerText()).replace('광고를 올렸어요 <b>!</b>', '');
  assert.match(korean, /\d{4}\. \d+\. \d+\. .*까지예요\. 이유:/);
  assert.doesNotMatch(korean, /[A-Za-z]/);
  await anna.sees(1);

  // Minutes pass in her page, and it asks for nothing (the browser itself looks for a new service
  // worker); what another says goes through the same proxy.
  proxy.asked = [];
  await eve.page.clock.runFor('05:00');
  await anna.says('still here');
  assert.deepEqual(proxy.asked.filter((call) => call !== 'GET /sw.js'), []);

  await command('--unban', `user:${id}`);
  await waitFor('the ban to be over', async () => (await metric(server, 'bans')) === 0);
  await eve.page.reload();
  await eve.connected();
  assert.equal(await eve.identity(), id, 'the same person');
  await eve.hears('still here');
  await anna.sees(2);
  assert.deepEqual([...anna.problems, ...eve.problems], []);
  await Promise.all([anna.leave(), eve.leave()]);
});

test('who comes while he is banned is told so, and is nobody new', async () => {
  const eve = await Person.join(browser, proxy.url, { mayLoseServer: true });
  const id = await eve.identity();
  await eve.page.goto('about:blank');
  await command('--ban', `user:${id}`);
  await waitFor('the ban to hold', async () => (await metric(server, 'bans')) === 1);
  await eve.page.goto(proxy.url);
  await eve.state('banned');
  await eve.at('notice').getByText('You have been banned from this chat.').waitFor();
  assert.equal(await eve.identity(), id);
  assert.deepEqual(eve.problems, []);
  await eve.leave();
});
