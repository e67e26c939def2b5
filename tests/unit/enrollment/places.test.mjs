import assert from 'node:assert/strict';
import test from 'node:test';

import { row } from './people.mjs';
import { execution } from './script.mjs';

const script = execution();
const person = (number, name, fields = {}) =>
  row(script, { number, email: `${name}@example.com`, enrolledAs: `${name}@example.com`, ...fields });
const placed = (rows, present) =>
  Object.fromEntries([...script.placesOf(rows, present)].map(([at, each]) => [at, each.email]));

test('rows that were sorted meanwhile are found again', () => {
  assert.deepEqual(
    placed([person(2, 'ada'), person(3, 'bob')], [person(2, 'bob'), person(3, 'eve'), person(4, 'ada')]),
    {
      2: 'bob@example.com',
      4: 'ada@example.com',
    },
  );
});

test('a row that was removed meanwhile is left out', () => {
  assert.deepEqual(placed([person(2, 'ada')], [person(2, 'bob')]), {});
});

test('a row that is not enrolled yet is where its e-mail still is', () => {
  const listed = person(2, 'ada');
  assert.deepEqual(placed([listed], [person(2, 'ada', { enrolledAs: '' })]), { 2: 'ada@example.com' });
  assert.deepEqual(placed([listed], [person(2, 'bob', { enrolledAs: '' })]), {});
});

test('rows beside each other are written together', () => {
  assert.deepEqual(script.runsOf([4, 2, 3, 7]), [[2, 3, 4], [7]]);
  assert.deepEqual(script.runsOf([]), []);
});
