import assert from 'node:assert/strict';
import test from 'node:test';

import { row } from './people.mjs';
import { execution } from './script.mjs';

const script = execution();
const URL_OF_ADA = 'https://ada.notebooks.example';
const document = (fields = {}) => ({
  ...{ name: '', profile: '', state: '', phase: '', proxyUrl: '', reason: '', message: '' },
  ...fields,
});

const SHOWN = {
  'the controller has not looked': [{}, 'Enrolled', '', ''],
  'it starts': [
    { phase: 'Provisioning', reason: 'Starting', message: 'JupyterLab is starting.' },
    ...['Provisioning', '', 'JupyterLab is starting. (Starting)'],
  ],
  'it is ready': [{ phase: 'Ready', proxyUrl: URL_OF_ADA }, 'Ready', URL_OF_ADA, ''],
  'it was refused': [
    { phase: 'Rejected', reason: 'EmailNotAllowed', message: 'email: is not among those allowed here.' },
    ...['Rejected', '', 'email: is not among those allowed here. (EmailNotAllowed)'],
  ],
  'it is to stop': [{ state: 'stopped', phase: 'Ready', proxyUrl: URL_OF_ADA }, 'Stopping', '', ''],
  'it stopped': [{ state: 'stopped', phase: 'Stopped', message: 'Kept.' }, 'Stopped', '', 'Kept.'],
  'it is to start': [{ state: 'running', phase: 'Stopped', message: 'Kept.' }, 'Starting', '', ''],
  'it is to go': [{ state: 'deleted', phase: 'Stopped' }, 'Deleting', '', ''],
  'it is gone': [{ state: 'deleted', phase: 'Deleted', message: 'Deleted.' }, 'Deleted', '', 'Deleted.'],
  'it expired': [{ phase: 'Deleted', reason: 'Expired', message: 'Deleted.' }, 'Deleted', '', 'Deleted. (Expired)'],
  'it comes back': [{ state: 'running', phase: 'Deleted' }, 'Starting', '', ''],
};
for (const [what, [fields, state, url, message]] of Object.entries(SHOWN)) {
  test(`shown: ${what}`, () => assert.deepEqual(script.shown(document(fields)), { state, url, message }));
}

test('what is under way is not final', () => {
  const open = ['To enrol', 'Enrolled', 'Starting', 'Stopping', 'Deleting', 'Provisioning', 'Waiting', 'Failed'];
  assert.deepEqual(
    open.filter((state) => script.FINAL_STATES.includes(state)),
    [],
  );
});

test('a look that finds nothing new writes nothing', () => {
  const there = row(script, { state: 'Ready', url: URL_OF_ADA });
  assert.equal(script.afterLook(there, document({ phase: 'Ready', proxyUrl: URL_OF_ADA })), null);
});

test('a look shows the name and profile that the document has', () => {
  const looked = script.afterLook(
    row(script, { name: 'Eve' }),
    document({ phase: 'Ready', name: 'Ada', profile: 'gpu' }),
  );
  assert.deepEqual([looked.name, looked.profile, looked.describes], ['Ada', 'gpu', true]);
});

test('a document that is gone is said to be so', () => {
  const looked = script.afterLook(row(script, { url: URL_OF_ADA }), undefined);
  assert.deepEqual([looked.state, looked.url], ['Gone', '']);
});

const CREATED = {
  made: [0, 'Enrolled'],
  'there already': [6, 'Enrolled'],
  unavailable: [14, 'To enrol'],
  'too busy': [8, 'To enrol'],
  'not taken': [3, 'Not enrolled'],
};
for (const [what, [code, state]] of Object.entries(CREATED)) {
  test(`a creation that ends as “${what}” leaves the row ${state}`, () => {
    const before = row(script, { state: 'To enrol', answers: '{}' });
    assert.equal(script.afterCreation(before, { code, message: '' }).state, state);
  });
}

test('an order that could not be carried out yet stays one', () => {
  const before = row(script, { stop: true });
  assert.equal(script.afterOrder(before, 'stopped', { code: 14, message: '' }), before);
});
