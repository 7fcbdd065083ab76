'use strict';

// The parts that HTTP has, with the Http protocol of kuzzle-sdk 6 or 7:
//     node sdk-http.js PORT 7

const { ok, is, run, rejected } = require('./tap');

const major = process.argv[3] || '7';
const { Kuzzle, Http } = require(`kuzzle-sdk-${major}`);

run(async (port) => {
  const index = `http-${major}`;
  const kuzzle = new Kuzzle(new Http('localhost', { port }));

  await kuzzle.connect();
  ok(true, 'connected');

  await kuzzle.index.create(index);
  await kuzzle.collection.create(index, 'taxi',
    major === '7' ? { mappings: { properties: { n: { type: 'integer' } } } }
      : { properties: { n: { type: 'integer' } } });
  is(await kuzzle.index.exists(index), true, 'index:exists');
  is(await kuzzle.collection.exists(index, 'taxi'), true,
    'collection:exists');

  const list = await kuzzle.index.list();
  ok(list.includes(index), 'index:list');
  const collections = await kuzzle.collection.list(index);
  is(collections.collections.map((c) => c.name), ['taxi'],
    'collection:list');

  for (let n = 0; n < 5; n++) {
    await kuzzle.document.create(index, 'taxi', { n }, `id-${n}`);
  }
  await kuzzle.document.createOrReplace(index, 'taxi', 'id-5', { n: 5 });
  await kuzzle.document.replace(index, 'taxi', 'id-5', { n: 50 });
  await kuzzle.document.update(index, 'taxi', 'id-4', { extra: true });

  const doc = await kuzzle.document.get(index, 'taxi', 'id-4');
  is([doc._source.n, doc._source.extra], [4, true], 'update merges');
  is(await kuzzle.document.count(index, 'taxi', {}), 6, 'count');

  const found = await kuzzle.document.search(index, 'taxi',
    { query: { range: { n: { gte: 1, lt: 4 } } }, sort: [{ n: 'desc' }] },
    { size: 2 });
  is([found.total, found.hits.map((h) => h._source.n)], [3, [3, 2]],
    'search with range, sort and size');

  await kuzzle.document.delete(index, 'taxi', 'id-0');
  is(await kuzzle.document.exists(index, 'taxi', 'id-0'), false,
    'delete and exists');

  const error = await rejected(kuzzle.document.get(index, 'taxi', 'none'));
  is(error && error.status, 404, 'a missing document rejects with 404');
  ok(error && /^services\.storage\./.test(error.id), 'and has an id');

  const missing = await rejected(kuzzle.ms.get('key'));
  is(missing && missing.status, 501, 'what is not there says so');

  await kuzzle.index.delete(index);
  is(await kuzzle.index.exists(index), false, 'index:delete');
});
