'use strict';

/*
 * Compares json_driver (the C scanner) with JSON.parse(): node json_parse.js
 * DRIVER [SEED].  Feeds some thousand generated texts, whole and damaged, to
 * both; prints TAP.
 *
 * Both must accept the same texts and see the same values, doubles to the
 * last bit.  Decided differences: invalid UTF-8 is refused (JSON.parse never
 * sees any), half a surrogate pair becomes U+FFFD.
 */

const { spawnSync } = require('child_process');

const driver = process.argv[2];
let state = Number(process.argv[3]) || 20150401;


function random(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor(state / 4294967296 * n);
}

function pick(list) {
  return list[random(list.length)];
}

function times(n, f) {
  return Array.from({ length: n }, f);
}


/* Texts. */

const digits = n => times(n, () => random(10)).join('');

function space() {
  return random(4) ? '' : times(random(3), () => pick(' \t\r\n')).join('');
}

const edges = [
  '0', '-0', '0.0', '1e400', '-1e400', '1e-400', '5e-324', '2.5e-324',
  '2.4703282292062327e-324', '2.4703282292062328e-324',
  '1.7976931348623157e308', '1.7976931348623158e308',
  '1.7976931348623159e308', '9007199254740993', '9007199254740992.5',
  '9223372036854775807', '9223372036854775808', '-9223372036854775809',
  '18446744073709551615', '0.1', '1e22', '1e23', '8.5e22', '0e99999999',
  '1e999999999999', '1e-999999999999', '2.2250738585072011e-308',
  '1.00000000000000011102230246251565404236316680908203125',
  '1.00000000000000011102230246251565404236316680908203124',
  '1.00000000000000011102230246251565404236316680908203126',
  '0.000000000000000000000000000000000000000001e42'
];

function number() {
  switch (random(5)) {
  case 0:
    return pick(edges);
  case 1:
    return String(random(1000) - 500);
  case 2:
    return (random(2) ? '-' : '') + (1 + random(9)) + digits(random(25))
           + '.' + digits(1 + random(25));
  case 3:
    return (1 + random(9)) + digits(random(20))
           + pick(['e', 'E', 'e+', 'e-', 'E-']) + random(330);
  default:
    return '0.' + '0'.repeat(random(20)) + digits(1 + random(900));
  }
}

const characters = [
  'a', 'b', '0', ' ', '/', '}', ']', ',', ':', '\x7f', '\u00e9', '\u07ff',
  '\u0800', '\u20ac', '\ud7ff', '\ue000', '\ufeff', '\uffff', '\u2028',
  '\u{10000}', '\u{1f600}', '\u{10ffff}', '\\"', '\\\\', '\\/', '\\b',
  '\\f', '\\n', '\\r', '\\t', '\\u0000', '\\u001F', '\\u00e9', '\\u20AC',
  '\\ud83d\\ude00', '\\uDBFF\\uDFFF', '\\ud800', '\\udc00', '\\ud800x',
  '\\ud800\\n', '\\udc00\\ud800', '\\ud83d\\ud83d\\ude00'
];

function string() {
  if (random(3) === 0) {
    return '"' + 'plain text of some length'.slice(random(25)) + '"';
  }

  return '"' + times(random(20), () => pick(characters)).join('') + '"';
}

function key() {
  return pick(['"a"', '"b"', '"\\u0061"', '""', '"a.b"', '"__proto__"',
               '"1"', '"\\n"', '"constructor"', '"\u00e9"', '"\\u00e9"',
               '"index"']);
}

function list(open, close, item) {
  const items = times(random(6), () => space() + item() + space());
  return open + (items.length ? items.join(',') : space()) + close;
}

function value(depth) {
  switch (random(depth > 0 ? 8 : 4)) {
  case 0:
    return number();
  case 1:
  case 2:
    return string();
  case 3:
    return pick(['true', 'false', 'null']);
  case 4:
  case 5:
    return list('[', ']', () => value(depth - 1));
  default:
    return list('{', '}', () => key() + space() + ':' + space()
                                + value(depth - 1));
  }
}

function damage(bytes) {
  const out = Buffer.from(bytes);
  const at = random(out.length);
  const byte = random(2) ? random(256)
                         : pick('{}[],:"\\-+.eE0123456789tfnu \n').charCodeAt();

  switch (random(5)) {
  case 0:
    return out.subarray(0, at);
  case 1:
    return Buffer.concat([out.subarray(0, at), out.subarray(at + 1)]);
  case 2:
    return Buffer.concat([out.subarray(0, at), Buffer.from([byte]),
                          out.subarray(at)]);
  case 3:
    return Buffer.concat([out.subarray(0, at), out.subarray(random(at + 1))]);
  default:
    out[at] = byte;
    return out;
  }
}

function texts() {
  const all = [Buffer.from(''), Buffer.from('[' .repeat(1024)
               + ']'.repeat(1024))];

  for (const edge of edges) {
    all.push(Buffer.from(edge), Buffer.from('-' + edge));
  }

  for (let i = 0; i < 3000; i++) {
    let text = Buffer.from(space() + value(5) + space());

    all.push(text);

    for (let j = random(3); j >= 0 && text.length; j--) {
      text = damage(text);
      all.push(text);
    }
  }

  return all;
}


/* What the driver prints of a value, made of one of JSON.parse(). */

function bits(n) {
  const view = new DataView(new ArrayBuffer(8));

  view.setFloat64(0, n);
  return view.getBigUint64(0).toString(16).padStart(16, '0');
}

class Ambiguous extends Error {}

function neutral(v) {
  if (typeof v === 'number') {
    return bits(v);
  }

  if (typeof v === 'string') {
    return v.toWellFormed();
  }

  if (Array.isArray(v)) {
    return v.map(neutral);
  }

  return (v && typeof v === 'object') ? sorted(v, neutral) : v;
}

function sorted(v, f) {
  const entries = Object.keys(v).sort().map(k => {
    if (!k.isWellFormed()) {
      throw new Ambiguous();      /* two such keys may become one */
    }

    return [k, f(v[k])];
  });

  return { entries };
}

function printed(v) {
  if (Array.isArray(v)) {
    return v.map(printed);
  }

  return (v && typeof v === 'object') ? sorted(v, printed) : v;
}

function parse(bytes) {
  let text;

  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(bytes);
  } catch (e) {
    return { utf8: false };
  }

  try {
    return { utf8: true, value: JSON.parse(text) };
  } catch (e) {
    return { utf8: true, error: e.message };
  }
}

function difference(bytes, line) {
  const node = parse(bytes);
  const accepted = line.startsWith('A ');

  if (!node.utf8 || 'error' in node) {
    return accepted ? 'accepted, but ' + (node.error || 'not UTF-8') : null;
  }

  if (!accepted) {
    return 'refused: ' + line;
  }

  try {
    const want = JSON.stringify(neutral(node.value));
    const got = JSON.stringify(printed(JSON.parse(line.slice(2))));

    return want === got ? null : `got ${got}, expected ${want}`;
  } catch (e) {
    if (e instanceof Ambiguous) {
      return null;
    }

    return 'unreadable: ' + e.message;
  }
}


const all = texts();
const input = Buffer.concat(all.flatMap(b => [Buffer.from(b.length + '\n'),
                                              b]));
const run = spawnSync(driver, { input, maxBuffer: 1 << 30 });
const lines = run.stdout.toString().split('\n');
const accepted = lines.filter(l => l.startsWith('A ')).length;
const refused = lines.filter(l => l.startsWith('E ')).length;

let failures = 0;

console.log('1..4');

for (let i = 0; i < all.length; i++) {
  const what = difference(all[i], lines[i] || '');

  if (what && failures++ < 5) {
    console.log(`# ${JSON.stringify(all[i].toString('latin1'))}: ${what}`);
  }
}

function ok(n, passed, name) {
  console.log(`${passed ? 'ok' : 'not ok'} ${n} - ${name}`);

  if (!passed) {
    process.exitCode = 1;
  }
}

ok(1, run.status === 0, 'the driver ended well');
ok(2, accepted > 2000, `${accepted} texts were accepted`);
ok(3, refused > 1000, `${refused} texts were refused`);
ok(4, failures === 0, `the same as JSON.parse() in all but ${failures}`);
