import assert from 'node:assert/strict';
import test from 'node:test';

import { row } from './people.mjs';
import { execution } from './script.mjs';

const script = execution();
const PATH = 'projects/p-rojec/databases/(default)/documents/users/u-1';

test('enrolment creates only, and never writes state', () => {
  const person = row(script, {
    name: 'Ada <b>',
    profile: 'gpu',
    answers: '{"Days":["Monday"],"Course":"=1+1"}',
    stop: true,
  });
  assert.deepEqual(script.creation(PATH, person), {
    update: {
      name: PATH,
      fields: {
        email: { stringValue: 'ada@example.com' },
        displayName: { stringValue: 'Ada <b>' },
        profile: { stringValue: 'gpu' },
        form: {
          mapValue: {
            fields: {
              Days: { arrayValue: { values: [{ stringValue: 'Monday' }] } },
              Course: { stringValue: '=1+1' },
            },
          },
        },
      },
    },
    currentDocument: { exists: false },
  });
});

test('what was not said is left out, so that the defaults hold', () => {
  assert.deepEqual(script.creation(PATH, row(script)).update.fields, { email: { stringValue: 'ada@example.com' } });
});

test('a checkbox changes state and nothing else, of a document that is there', () => {
  assert.deepEqual(script.stateChange(PATH, 'stopped'), {
    update: { name: PATH, fields: { state: { stringValue: 'stopped' } } },
    updateMask: { fieldPaths: ['state'] },
    currentDocument: { exists: true },
  });
});

test('fields of other types than text count as absent', () => {
  const fields = { profile: { integerValue: '1' }, status: { stringValue: 'Ready' } };
  const absent = { name: '', profile: '', state: '', phase: '', proxyUrl: '', reason: '', message: '' };
  assert.deepEqual(script.userDocument(fields), absent);
  assert.deepEqual(script.userDocument(undefined), absent);
});

test('the mail is plain text and its subject is always the same', () => {
  const { to, subject, body } = script.letterOf(
    row(script, { name: '<b>Ada</b>\r\nBcc: eve@example.com', url: 'https://ada.example' }),
  );
  assert.equal(to, 'ada@example.com');
  assert.equal(subject, 'Your JupyterLab is ready');
  assert.match(body, /^Hello <b>Ada<\/b> Bcc: eve@example\.com,\n/);
  assert.match(body, /\n\nhttps:\/\/ada\.example\n\n/);
});
