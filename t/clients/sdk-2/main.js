'use strict';

// kuzzle-sdk 2 over WebSocket.  It speaks as before 1.0 (controllers read,
// write, subscribe and admin):  node sdk-2/main.js PORT

const { ok, is, run, sleep, until } = require('../tap');
const Kuzzle = require('kuzzle-sdk-2');

// The result of a function whose last argument is a callback.

function called(object, name, ...args) {
  return new Promise((resolve, reject) => {
    object[name](...args,
      (error, result) => (error ? reject(error) : resolve(result)));
  });
}

run(async (port) => {
  const kuzzle = await new Promise((resolve, reject) => {
    const k = new Kuzzle('localhost',
      { ioPort: port, wsPort: port, defaultIndex: 'sdk2',
        autoReconnect: false },
      (error) => (error ? reject(error) : resolve(k)));
  });
  ok(true, 'connected');

  const now = await called(kuzzle, 'now', {});
  ok(now > 1500000000000, 'now');

  await called(kuzzle, 'query',
    { controller: 'admin', action: 'createIndex', index: 'sdk2' }, {}, {});
  ok((await called(kuzzle, 'listIndexes', {})).includes('sdk2'),
    'the index is listed');

  const taxi = kuzzle.dataCollectionFactory('yellow-taxi');
  await called(taxi, 'create', {});
  is(await called(kuzzle, 'listCollections', 'sdk2', {}),
    [{ name: 'yellow-taxi', type: 'stored' }], 'so is the collection');

  const notes = [];
  const room = taxi.subscribe({ exists: { field: 'name' } },
    { scope: 'all', state: 'done', users: 'none' },
    (error, note) => notes.push(error || note));
  ok(await until(() => room.roomId), 'subscribed');

  const doc = await called(taxi, 'createDocument', 'sirkis',
    { name: 'Sirkis', license: 'B' }, {});
  is([doc.id, doc.version, doc.content.license], ['sirkis', 1, 'B'],
    'created');

  ok(await until(() => notes.length === 1), 'a notification came');
  is([notes[0].controller, notes[0].action, notes[0].scope, notes[0].state,
    notes[0].result._id, notes[0].result._source.name],
  ['write', 'create', 'in', 'done', 'sirkis', 'Sirkis'],
  'it is about the document, and names the action as it was asked for');

  await called(taxi, 'createDocument', 'x', { license: 'C' }, {});
  taxi.publishMessage({ name: 'a message' });
  ok(await until(() => notes.length >= 2), 'a message arrives');
  is([notes.length, notes[1].action, notes[1].result._source.name],
    [2, 'publish', 'a message'], 'what does not match does not');

  const updated = await called(taxi, 'updateDocument', 'sirkis', { age: 5 },
    {});
  is([updated.version, updated.content.name, updated.content.age],
    [2, 'Sirkis', 5], 'updated');

  is(await called(taxi, 'count', {}, {}), 2, 'counted');
  const found = await called(taxi, 'advancedSearch',
    { query: { match_all: {} } }, {});
  is([found.total, found.documents.map((d) => d.id).sort()],
    [2, ['sirkis', 'x']], 'searched');

  is(await called(taxi, 'deleteDocument', 'x', {}), ['x'], 'deleted');

  const error = await called(taxi, 'fetchDocument', 'x', {})
    .catch((e) => e);
  is([error.status, /"x" not found/.test(error.message)], [404, true],
    'a missing document is an error with status and message');

  room.unsubscribe();
  await called(kuzzle, 'now', {});
  taxi.publishMessage({ name: 'nobody hears' });
  await sleep(200);
  is(notes.length, 3, 'after unsubscribe nothing arrives');

  kuzzle.disconnect();
});
