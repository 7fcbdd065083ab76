'use strict';

// A few lines of TAP, and a deadline: a client that hangs is a failure.

let count = 0;
let failed = 0;

function ok(condition, name) {
  count++;
  if (!condition) {
    failed++;
  }
  console.log(`${condition ? '' : 'not '}ok ${count} - ${name}`);
  return condition;
}

function is(actual, expected, name) {
  const same = JSON.stringify(actual) === JSON.stringify(expected);
  if (!ok(same, name)) {
    console.log(`#      got: ${JSON.stringify(actual)}`);
    console.log(`# expected: ${JSON.stringify(expected)}`);
  }
  return same;
}

function run(main, seconds = 20) {
  setTimeout(() => {
    console.log(`not ok ${count + 1} - still running after ${seconds} s`);
    process.exit(1);
  }, seconds * 1000).unref();

  main(parseInt(process.argv[2], 10)).then(
    () => {
      console.log(`1..${count}`);
      process.exit(failed ? 1 : 0);
    },
    (error) => {
      console.log(`not ok ${count + 1} - ${error.message}`);
      console.log(`# ${(error.stack || '').replace(/\n/g, '\n# ')}`);
      process.exit(1);
    });
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(condition, ms = 5000) {
  const end = Date.now() + ms;
  while (!condition() && Date.now() < end) {
    await sleep(10);
  }
  return condition();
}

async function rejected(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return null;
}

module.exports = { ok, is, run, sleep, until, rejected };
