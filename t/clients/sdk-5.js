'use strict';

// The getting-started program with kuzzle-sdk 5:  node sdk-5.js PORT

const { ok, is, run, sleep, until } = require('./tap');
const Kuzzle = require('kuzzle-sdk-5');

run(async (port) => {
  const kuzzle = await new Promise((resolve, reject) => {
    const k = new Kuzzle('localhost', { port, autoReconnect: false },
      (error) => (error ? reject(error) : resolve(k)));
  });
  ok(true, 'connected');

  await kuzzle.createIndexPromise('sdk5');
  const taxi = kuzzle.collection('yellow-taxi', 'sdk5');
  await taxi.createPromise();

  const notes = [];
  await new Promise((resolve, reject) => {
    taxi.subscribe({ exists: 'name' }, {}, (error, n) => notes.push(n))
      .onDone((error, room) => (error ? reject(error) : resolve(room)));
  });
  ok(true, 'subscribed');

  const doc = await taxi.createDocumentPromise('sirkis',
    { name: 'Sirkis', license: 'B' });
  is(doc.id, 'sirkis', 'created');

  ok(await until(() => notes.length === 1), 'a notification came');
  is([notes[0].type, notes[0].scope, notes[0].state,
    notes[0].document.id], ['document', 'in', 'done', 'sirkis'],
  'it is about the document, in the manner of 1.x');

  await taxi.createDocumentPromise('x', { license: 'B' });
  await sleep(200);
  is(notes.length, 1, 'what does not match does not arrive');

  const fetched = await taxi.fetchDocumentPromise('sirkis');
  is(fetched.content.license, 'B', 'fetched');

  const found = await taxi.searchPromise({ query: { match_all: {} } }, {});
  is(found.total, 2, 'searched');

  const now = await kuzzle.nowPromise();
  ok(now > 1500000000000, 'now');

  kuzzle.disconnect();
});
