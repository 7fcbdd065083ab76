'use strict';

// WebSockets over TLS with a certificate nobody signed:
//     node tls.js PORT PART [MASTER_PID]

const { ok, is, run, sleep, until } = require('./tap');
const tls = require('tls');
const WebSocket = require('ws');

const part = process.argv[3];
const master = parseInt(process.argv[4] || '0', 10);

function open(port, options = {}) {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(`wss://127.0.0.1:${port}/`,
      Object.assign({ rejectUnauthorized: false }, options));

    ws.messages = [];
    ws.ended = null;
    ws.on('message', (data) => ws.messages.push(data.toString()));
    ws.on('close', (code, reason) => {
      ws.ended = [code, reason.toString()];
    });
    ws.on('open', () => resolve(ws));
    ws.on('error', reject);
  });
}

// Sends a query, resolves with its answer.

let serial = 0;

async function ask(ws, controller, action, args = {}) {
  const requestId = `q${++serial}`;
  const find = () => ws.messages.map((m) => JSON.parse(m))
    .find((m) => m.room === requestId);

  ws.send(JSON.stringify(
    Object.assign({ controller, action, requestId }, args)));
  await until(() => find() !== undefined);
  return find();
}

const taxi = (rest) => Object.assign(
  { index: 'nyc', collection: 'taxi' }, rest);

async function prepare(ws) {
  await ask(ws, 'index', 'create', { index: 'nyc' });
  await ask(ws, 'collection', 'create', taxi());
}

// Bytes over TLS, without a WebSocket library.

function dial(port, options = {}) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect(Object.assign(
      { host: '127.0.0.1', port, rejectUnauthorized: false }, options));

    socket.got = Buffer.alloc(0);
    socket.ended = null;
    socket.on('data', (data) => {
      socket.got = Buffer.concat([socket.got, data]);
    });
    socket.on('end', () => { socket.ended = 'end'; });
    socket.on('error', (error) => {
      socket.ended = error.code;
      reject(error);
    });
    socket.on('secureConnect', () => resolve(socket));
  });
}

const handshake = Buffer.from([
  'GET / HTTP/1.1', 'Host: localhost', 'Upgrade: websocket',
  'Connection: Upgrade', 'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', ''].join('\r\n'));

// A masked frame; the mask is 0.

function frame(opcode, text) {
  const payload = Buffer.from(text);
  const n = payload.length;
  const head = n < 126 ? [0x80 | opcode, 0x80 | n]
    : [0x80 | opcode, 0x80 | 126, n >> 8, n & 255];
  return Buffer.concat([Buffer.from(head), Buffer.alloc(4), payload]);
}

const ping = frame(1, '{"p":1}');
const pong = Buffer.from('\x81\x07{"p":2}', 'latin1');

function count(buffer, what) {
  let n = 0;
  for (let at = 0; (at = buffer.indexOf(what, at)) >= 0; at += what.length) {
    n++;
  }
  return n;
}


const parts = {

  async messages(port) {
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      const ws = await open(port,
        { minVersion: version, maxVersion: version });
      const now = await ask(ws, 'server', 'now');
      is([now.status, now.action], [200, 'now'], `${version}: an answer`);
      ws.close(1000);
      await until(() => ws.ended);
      is(ws.ended, [1000, ''], `${version}: closed in order`);
    }

    const a = await open(port);
    const b = await open(port);
    await prepare(a);

    const room = await ask(a, 'realtime', 'subscribe',
      taxi({ body: { exists: 'n' } }));
    is(room.status, 200, 'subscribed');

    const created = await ask(b, 'document', 'create',
      taxi({ _id: 't1', body: { n: 1 } }));
    is(created.status, 200, 'created by the other');

    const note = () => a.messages.map((m) => JSON.parse(m))
      .find((m) => m.room === room.result.channel);
    await until(note);
    is(note() && [note().action, note().scope, note().result._id],
      ['create', 'in', 't1'], 'the notification came');
    ok(!b.messages.some((m) => m.includes('"scope"')),
      'and to nobody else');
  },

  // What comes in one record with the handshake, or right behind it.

  async first(port) {
    const together = await dial(port);
    together.write(Buffer.concat([handshake, ping]));
    await until(() => together.got.includes(pong));
    ok(/^HTTP\/1\.1 101 /.test(together.got.toString('latin1')), '101');
    is(count(together.got, pong), 1, 'a frame in the handshake\'s record');

    const many = await dial(port);
    many.write(Buffer.concat([handshake, ...Array(3000).fill(ping)]));
    await until(() => count(many.got, pong) >= 3000);
    is(count(many.got, pong), 3000, '39 KB of frames behind a handshake');

    const behind = await dial(port);
    behind.write(handshake);
    behind.write(ping);
    await until(() => behind.got.includes(pong));
    is(count(behind.got, pong), 1, 'a frame in the next record');

    const bytes = await dial(port);
    for (const byte of Buffer.concat([handshake, ping])) {
      bytes.write(Buffer.from([byte]));
    }
    await until(() => bytes.got.includes(pong));
    is(count(bytes.got, pong), 1, 'a record for each byte');
  },

  async large(port) {
    const a = await open(port);
    await prepare(a);

    const text = 'x'.repeat(1000000);
    const stored = await ask(a, 'document', 'createOrReplace',
      taxi({ _id: 'big', body: { text } }));
    is(stored.status, 200, 'a message of 1 MB in');

    const got = await ask(a, 'document', 'get', taxi({ _id: 'big' }));
    is(got.result && got.result._source.text.length, 1000000, 'and out');

    // Asked for, but not read for a while.
    const b = await open(port);
    b._socket.pause();
    for (let i = 0; i < 12; i++) {
      b.send(JSON.stringify(Object.assign({ controller: 'document',
        action: 'get', requestId: `b${i}` }, taxi({ _id: 'big' }))));
    }
    b.send('{"p":1}');
    await sleep(300);
    is(b.messages.length, 0, 'the reader sleeps');
    b._socket.resume();
    await until(() => b.messages.length >= 13, 10000);
    is(b.messages.filter((m) => m.length > 1000000).length, 12,
      '12 MB read late, whole');
    ok(b.messages.includes('{"p":2}'), 'and what came after them');
  },

  async ends(port) {
    const a = await dial(port);
    a.write(Buffer.concat([handshake, frame(8, '\x03\xe8')]));
    await until(() => a.ended);
    is(a.ended, 'end', 'our close: TLS is ended in order');

    const b = await dial(port);
    b.write(Buffer.concat([handshake, Buffer.from('\x81\x01x', 'latin1')]));
    await until(() => b.ended);
    ok(b.got.includes(Buffer.from('\x03\xea', 'latin1')), '1002');
    is(b.ended, 'end', 'a violation too');

    const c = await dial(port);
    c.write(Buffer.concat([handshake, ping]));
    await until(() => c.got.includes(pong));
    c.write(frame(1, '{"controller":"server","action":"now"}'));
    c.destroy();

    const d = await dial(port);
    d.write(handshake.subarray(0, 40));
    d.destroy();

    const e = await open(port);
    is((await ask(e, 'server', 'now')).status, 200, 'the others are served');
  },

  async heartbeat(port) {
    const ws = await open(port);
    let pings = 0;
    ws.on('ping', () => pings++);

    const dead = await dial(port);
    dead.write(handshake);
    await until(() => dead.ended);
    ok(dead.got.includes(Buffer.from('\x89\x00', 'latin1')), 'a ping');
    is(dead.ended, 'end', 'who does not answer it is dropped');
    ok(pings > 0, 'who does stays');
    is((await ask(ws, 'server', 'now')).status, 200, 'and is served');
  },

  async reload(port) {
    const old = [];
    for (let i = 0; i < 10; i++) {
      old.push(await open(port));
    }
    await prepare(old[0]);
    const room = await ask(old[0], 'realtime', 'subscribe',
      taxi({ body: {} }));

    process.kill(master, 'SIGHUP');
    await sleep(400);

    const fresh = await open(port);
    const created = await ask(fresh, 'document', 'create',
      taxi({ _id: 't', body: {} }));
    is(created.status, 200, 'the new workers serve');
    await until(() => old[0].messages.some((m) => m.includes(
      room.result.channel) && m.includes('"scope"')));
    ok(old[0].messages.some((m) => m.includes('"scope"')),
      'an old socket hears of it');

    for (const ws of old) {
      is((await ask(ws, 'server', 'now')).status, 200, 'is served');
    }
    await until(() => old.every((ws) => ws.ended));
    is(old.map((ws) => ws.ended && ws.ended[0]), Array(10).fill(1001),
      'then 1001');
    is((await ask(fresh, 'server', 'now')).status, 200, 'the new one stays');
  },
};

run(parts[part]);
