import assert from 'node:assert/strict';
import test from 'node:test';

import { row } from './people.mjs';
import { execution } from './script.mjs';

const script = execution();
const orderOf = (fields) => script.orderOf(row(script, fields));

const ORDERS = {
  'no box is ticked': [{}, ''],
  'Stop is ticked': [{ stop: true }, 'stopped'],
  'Stop was ticked before': [{ stop: true, applied: 'stopped' }, ''],
  'Stop is no longer ticked': [{ applied: 'stopped' }, 'running'],
  'started again before': [{ applied: 'running' }, ''],
  'Delete is ticked and confirmed': [{ delete: true, confirm: 'Ada@example.com ' }, 'deleted'],
  'Delete and Stop are ticked': [{ stop: true, delete: true, confirm: 'ada@example.com' }, 'deleted'],
  'deleted before, and the confirmation was removed': [{ delete: true, applied: 'deleted' }, ''],
  'Delete is no longer ticked': [{ applied: 'deleted' }, 'running'],
  'nobody is enrolled yet': [{ stop: true, enrolledAs: '', state: '' }, ''],
  'enrolment is still to be done': [{ stop: true, state: 'To enrol' }, ''],
};
for (const [what, [fields, state]] of Object.entries(ORDERS)) {
  test(`order: ${what}`, () => assert.deepEqual(orderOf(fields), { state, problem: '' }));
}

for (const confirm of ['', 'yes', 'bob@example.com', 'ada']) {
  test(`nobody is deleted with “${confirm}” as confirmation`, () => {
    const { state, problem } = orderOf({ delete: true, confirm });
    assert.equal(state, '');
    assert.match(problem, /type the person's e-mail into “Confirm delete”/);
  });
}

test('a row whose e-mail was changed orders nothing', () => {
  for (const fields of [{ stop: true }, { delete: true, confirm: 'bob@example.com' }]) {
    const { state, problem } = orderOf({ ...fields, email: 'bob@example.com' });
    assert.equal(state, '');
    assert.match(problem, /this row is that of ada@example\.com/);
  }
});

test('what is missing is said once, and goes with its reason', () => {
  const asked = script.withProblem(row(script, { delete: true }));
  assert.match(asked.message, /^Nothing was done/);
  assert.equal(script.withProblem(asked), null);
  const withdrawn = script.withProblem({ ...asked, delete: false });
  assert.deepEqual([withdrawn.message, withdrawn.state], ['', 'Enrolled']);
});
