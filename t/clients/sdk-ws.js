'use strict';

// The getting-started program, and a little more, with kuzzle-sdk 6 or 7 over
// WebSocket:  node sdk-ws.js PORT 7

const { ok, is, run, sleep, until, rejected } = require('./tap');

const major = process.argv[3] || '7';
const { Kuzzle, WebSocket } = require(`kuzzle-sdk-${major}`);

run(async (port) => {
  const index = `nyc-open-data-${major}`;
  const kuzzle = new Kuzzle(new WebSocket('localhost', { port }));

  kuzzle.on('networkError', (error) => console.log(`# ${error.message}`));

  await kuzzle.connect();
  ok(true, 'connected');

  if (!(await kuzzle.index.exists(index))) {
    await kuzzle.index.create(index);
  }
  if (!(await kuzzle.collection.exists(index, 'yellow-taxi'))) {
    await kuzzle.collection.create(index, 'yellow-taxi');
  }
  is(await kuzzle.index.exists(index), true, 'the index is there');

  const notes = [];
  const room = await kuzzle.realtime.subscribe(index, 'yellow-taxi',
    { equals: { license: 'B' } }, (n) => notes.push(n), { users: 'none' });
  ok(typeof room === 'string' && room.length > 0, 'subscribed');

  const driver = { name: 'Sirkis', birthday: '1959-06-22', license: 'B' };
  const created = await kuzzle.document.create(index, 'yellow-taxi', driver,
    'sirkis');
  is(created._id, 'sirkis', 'created');
  is(created._source.name, 'Sirkis', 'the source comes back');

  await kuzzle.document.create(index, 'yellow-taxi',
    { name: 'Nobody', license: 'C' }, 'nobody');

  ok(await until(() => notes.length >= 1), 'a notification came');
  is([notes[0].type, notes[0].scope, notes[0].result._id],
    ['document', 'in', 'sirkis'], 'it is about the document');
  is(notes[0].result._source.license, 'B', 'with its content');

  await kuzzle.document.update(index, 'yellow-taxi', 'sirkis',
    { license: 'C' });
  ok(await until(() => notes.length >= 2), 'leaving the filter notifies');
  is(notes[1].scope, 'out', 'as scope out');

  const got = await kuzzle.document.get(index, 'yellow-taxi', 'sirkis');
  is([got._source.license, got._version], ['C', 2], 'get');
  is(await kuzzle.document.exists(index, 'yellow-taxi', 'x'), false,
    'exists');
  is(await kuzzle.document.count(index, 'yellow-taxi', {}), 2, 'count');

  const found = await kuzzle.document.search(index, 'yellow-taxi',
    { query: { match_all: {} } });
  is(found.total, 2, 'search');

  const error = await rejected(
    kuzzle.document.get(index, 'yellow-taxi', 'missing'));
  is(error && error.status, 404, 'a missing document rejects with 404');

  await kuzzle.realtime.publish(index, 'yellow-taxi', { license: 'B' });
  ok(await until(() => notes.length >= 3), 'a published message arrives');
  is(notes[2].action, 'publish', 'as publish');

  is(await kuzzle.realtime.count(room), 1, 'one in the room');
  await kuzzle.realtime.unsubscribe(room);
  await kuzzle.realtime.publish(index, 'yellow-taxi', { license: 'B' });
  await sleep(200);
  is(notes.length, 3, 'after unsubscribe nothing arrives');

  is(await kuzzle.document.delete(index, 'yellow-taxi', 'nobody'), 'nobody',
    'delete');

  const user = await kuzzle.auth.getCurrentUser();
  is(user._id, '-1', 'anonymous');

  const now = await kuzzle.server.now();
  ok(Math.abs(now - Date.now()) < 10000, 'server:now');

  kuzzle.disconnect();
});
