// After a crash or an orderly end people are who they were, and what was receipted is there; under
// load: kill_loop.test.mjs.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Server, init, lobby, newRoom, newUser, wholeHistory } from './harness.mjs';
import { memberFor } from './clients.mjs';

const rates = ['--send-rate-max', '1000000', '--send-burst-max', '1000000'];

it('after a restart everyone is who he was, and can go on', async (t) => {
  const server = new Server();
  t.after(() => server.stop());
  await server.start();
  const user = await newUser(server);
  const room = await newRoom(server, user, '남는 방');
  const before = await memberFor(t, server, user, room);
  await before.post(room, 'before');
  await server.kill9();
  await server.restart();
  assert.equal((await init(server, user.token)).success, true, 'the token still holds');
  const again = await memberFor(t, server, user, room);
  await again.post(room, 'after');
  const { body } = await again.message('room');
  assert.equal(body.id, 2);
  assert.equal(body.senderId, user.id);
  const [second, first] = await wholeHistory(server, user, room);
  assert.deepEqual([first.message, second.message], ['before', 'after']);
  assert.equal(first.senderId, second.senderId);
});

it('an orderly end loses nothing that was receipted either', async (t) => {
  const server = new Server({ args: rates });
  t.after(() => server.stop());
  await server.start();
  const user = await newUser(server);
  const client = await memberFor(t, server, user, lobby);
  const texts = Array.from({ length: 100 }, (_, n) => `message ${n}`);
  await Promise.all(texts.map((text) => client.post(lobby, text)));
  await server.restart();
  const found = (await wholeHistory(server, user, lobby)).reverse().map(({ message }) => message);
  assert.deepEqual(found, texts);
});
