'use strict';

// What a browser page does: new WebSocket(...), a query, its answer.
//     node ws.js PORT

const { ok, is, run } = require('./tap');
const WebSocket = require('ws');

function answer(socket, text) {
  return new Promise((resolve, reject) => {
    socket.onmessage = (event) => resolve(JSON.parse(event.data));
    socket.onerror = reject;
    socket.send(text);
  });
}

run(async (port) => {
  const socket = new WebSocket(`ws://localhost:${port}`);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });

  const now = await answer(socket,
    '{"controller":"server","action":"now","requestId":"1"}');
  is([now.requestId, now.room, now.status], ['1', '1', 200],
    'room and requestId come back');
  ok(now.result.now > 1500000000000, 'with the time');

  is(await answer(socket, '{"p":1}'), { p: 2 }, 'application ping');

  const closed = new Promise((resolve) => {
    socket.onclose = (event) => resolve(event.code);
  });
  socket.close(1000);
  is(await closed, 1000, 'closed as asked');
});
