'use strict';

// The OpenAPI documents: valid for a validator, the same in JSON and YAML,
// and complete: every route publicApi advertises is in them.
//
//     openapi.js port

const http = require('http');
const YAML = require('yaml');
const { ok, is, run } = require('./tap');

const v1 = { 'X-Kuzzle-Volatile': '{"sdkVersion":"6.2.8"}' };
const v2 = { 'X-Kuzzle-Volatile': '{"sdkName":"js@7.17.1"}' };


function get(port, path, headers) {
  return new Promise((resolve, reject) => {
    http.get({ port, path, headers, agent: false }, (res) => {
      const parts = [];
      res.on('data', (part) => parts.push(part));
      res.on('error', reject);
      res.on('end', () => resolve({
        status: res.statusCode,
        type: res.headers['content-type'],
        text: Buffer.concat(parts).toString()
      }));
    }).on('error', reject);
  });
}


function operations(doc) {
  return Object.entries(doc.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([verb, op]) => ({ path, verb, op })));
}


function check(name, doc) {
  const all = operations(doc);
  const ids = all.map(({ op }) => op.operationId);
  const tags = new Set(doc.tags.map((tag) => tag.name));
  const shapes = Object.keys(doc.paths).map((p) => p.replace(/{[^}]*}/g, '{}'));

  is(doc.openapi, '3.1.0', `${name}: 3.1`);
  is(new Set(ids).size, ids.length, `${name}: operation ids are unique`);
  is(new Set(shapes).size, shapes.length, `${name}: no path twice`);
  ok(all.every(({ op }) => op.tags.every((tag) => tags.has(tag))),
    `${name}: all tags are declared`);

  const wrong = all.filter(({ path, op }) => {
    const want = [...path.matchAll(/{([^}]*)}/g)].map((m) => m[1]).sort();
    const got = op.parameters
      .map((p) => doc.components.parameters[p.$ref.split('/').pop()])
      .filter((p) => p.in === 'path').map((p) => p.name).sort();
    return want.join() !== got.join();
  });
  is(wrong.map(({ path }) => path), [],
    `${name}: the parameters of a path are those in it`);
}


async function main(port) {
  const { Validator } = await import('@seriousme/openapi-schema-validator');

  const validate = async (name, text) => {
    const res = await new Validator().validate(JSON.parse(text));
    ok(res.valid, `${name}: valid`)
      || console.log(`# ${JSON.stringify(res.errors).slice(0, 2000)}`);
  };

  const sources = [
    ['generation 2', '/_openapi', '/_openapi?format=yaml', v2],
    ['generation 1', '/_openapi?format=json', '/_openapi?format=yaml', v1],
    ['application', '/_openapi?scope=app', '/_openapi?scope=app&format=yaml',
      v2]
  ];

  if (process.argv[3] === 'swagger') {
    sources.push(['swagger', '/swagger.json', '/swagger.yml', {}]);
  }

  for (const [name, json, yaml, headers] of sources) {
    const j = await get(port, json, headers);
    const y = await get(port, yaml, headers);

    is([j.status, j.type], [200, 'application/json'], `${name}: JSON`);
    is([y.status, y.type], [200, 'application/yaml'], `${name}: YAML`);

    const doc = JSON.parse(j.text);
    is(YAML.parse(y.text), doc, `${name}: YAML says the same`);
    is(YAML.parse(y.text, { version: '1.1' }), doc,
      `${name}: also to a reader of YAML 1.1`);
    await validate(name, j.text);

    if (name === 'application') {
      is(doc.paths, {}, `${name}: has no routes`);
      continue;
    }

    check(name, doc);

    const api = JSON.parse((await get(port, '/_publicApi', headers)).text)
      .result;
    const missing = [];
    let routes = 0;

    for (const [controller, actions] of Object.entries(api)) {
      for (const [action, { http: list }] of Object.entries(actions)) {
        for (const { url, verb } of controller === 'memoryStorage' ? []
          : list || []) {
          const path = url.replace(/:([^/]+)/g, '{$1}');
          const op = (doc.paths[path] || {})[verb.toLowerCase()];
          routes++;
          if (!op || op.summary !== `${controller}:${action}`) {
            missing.push(`${verb} ${url}`);
          }
        }
      }
    }

    is(missing, [], `${name}: every advertised route is there`);
    ok(routes > 280, `${name}: ${routes} of them`);
    ok(operations(doc).length >= 309,
      `${name}: ${operations(doc).length} operations`);
  }

  // what the rows say of bodies and of what is not there

  const doc = JSON.parse((await get(port, '/_openapi', v2)).text);
  const replace = doc.paths['/{index}/{collection}/{_id}'].put;
  const get1 = doc.paths['/{index}/{collection}/{_id}'].get;
  const node = doc.paths['/_openapi'].get;

  is(replace.requestBody, { $ref: '#/components/requestBodies/Body' },
    'a body that is needed');
  ok(!('requestBody' in get1), 'none for a GET');
  ok(node.responses[200].$ref.endsWith('/Raw'), 'this document is raw');
  ok(operations(doc).every(({ op }) => op.responses.default),
    'every operation can be refused');
}

run(main);
