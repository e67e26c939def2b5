import assert from 'node:assert/strict';
import test from 'node:test';

import { row } from './people.mjs';
import { execution } from './script.mjs';

const script = execution();
const pasted = (number, email, fields = {}) => row(script, { number, email, enrolledAs: '', state: '', ...fields });
const judged = (rows, profiles = []) =>
  Object.fromEntries(script.judgeList(rows, profiles).map((each) => [each.number, each.message || each.state]));

test('good rows are to be enrolled, and each bad one says why', () => {
  const rows = [
    row(script, { number: 2, email: 'ada@example.com' }),
    pasted(3, 'Email', { name: 'Name' }),
    pasted(4, 'BOB@example.com', { name: 'Bob' }),
    pasted(5, 'bob@example.com'),
    pasted(6, 'ada@example.com'),
    pasted(7, '', { name: 'No e-mail' }),
    pasted(8, ''),
    pasted(9, 'eve@example.com', { profile: 'huge' }),
    pasted(10, '#REF!', { formula: true }),
  ];
  assert.deepEqual(judged(rows, ['default']), {
    3: 'E-mail: “Email” is no e-mail address. Allowed is one such as ada@example.com, in ASCII, of at most 254 characters.',
    4: 'To enrol',
    5: 'E-mail: is that of row 4 too.',
    6: 'E-mail: is that of row 2 too.',
    7: "E-mail: is missing. Give a Google account's address, such as ada@example.com.",
    9: 'Profile: there is no “huge”. Allowed: default.',
    10: 'A cell holds a formula. Paste the list as values only (Edit, Paste special).',
  });
});

test('a row that was mended is judged anew', () => {
  assert.deepEqual(judged([pasted(2, 'ada@example.com', { state: 'Not enrolled', message: 'old' })]), {
    2: 'To enrol',
  });
});

test('rows that run are not judged', () => {
  for (const state of ['Ready', 'Provisioning', 'Gone', 'Deleted', 'To enrol']) {
    assert.deepEqual(judged([row(script, { state })]), {});
  }
});
