import assert from 'node:assert/strict';
import test from 'node:test';

import { row } from './people.mjs';
import { execution } from './script.mjs';

const script = execution();
const { formFields, rowOfAnswer } = script;
const ANSWERED = '2026-01-02T03:04:05.678Z';
const answer = (fields = {}) => ({
  email: 'Ada@Example.com',
  answered: ANSWERED,
  name: 'Ada',
  profile: '',
  form: {},
  ...fields,
});

test('a first answer is a row that is to be enrolled', () => {
  const made = rowOfAnswer(undefined, answer({ form: { Course: 'Logic' } }), []);
  assert.equal(made.number, 0);
  assert.equal(made.state, 'To enrol');
  assert.equal(made.enrolledAs, 'ada@example.com');
  assert.equal(made.email, 'Ada@Example.com');
  assert.equal(made.answers, '{"Course":"Logic"}');
  assert.equal(made.answered, ANSWERED);
});

test('a second answer keeps what was done for the person before', () => {
  const before = row(script, { number: 7, stop: true, applied: 'stopped', mailed: '2026-01-01T00:00:00Z' });
  const made = rowOfAnswer(before, answer(), []);
  assert.deepEqual([made.number, made.state, made.applied, made.mailed], [7, 'To enrol', 'stopped', before.mailed]);
});

test('an answer that is refused does not spoil the row of one that was not', () => {
  const before = row(script, { number: 7 });
  assert.deepEqual(rowOfAnswer(before, answer({ name: 'x'.repeat(201) }), []), { ...before, answered: ANSWERED });
});

const REFUSED = {
  'no e-mail': [{ email: '' }, /^E-mail: is missing/],
  'an e-mail that is none': [{ email: 'adä@example.com' }, /^E-mail: “adä@example\.com” is no e-mail address/],
  'a name that is too long': [{ name: 'x'.repeat(201) }, /^Name: has 201 characters; at most 200/],
  'an unknown profile': [{ profile: 'large' }, /^Profile: there is no “large”\. Allowed: default, small\.$/],
  'answers beyond what a cell holds': [{ form: { Why: 'x'.repeat(40000) } }, /^The answers have 4\d+ characters/],
};
for (const [what, [fields, message]] of Object.entries(REFUSED)) {
  test(`not enrolled: ${what}`, () => {
    const made = rowOfAnswer(undefined, answer(fields), ['default', 'small']);
    assert.deepEqual([made.state, made.enrolledAs, made.answers], ['Not enrolled', '', '']);
    assert.match(made.message, message);
  });
}

test('further answers have keys and values that Firestore takes', () => {
  const given = [
    { question: 'Course', answer: 'Logic' },
    { question: 'Course', answer: 'Sets' },
    { question: '  ', answer: 'no title' },
    { question: '__proto__', answer: 'reserved' },
    { question: 'Days', answer: ['Monday', 'Friday'] },
    { question: 'Grid', answer: [['a', 'b'], null] },
    { question: 'Empty', answer: '' },
    { question: 'Half\ud83d', answer: 'a\udc00b 😀' },
  ];
  assert.deepEqual(formFields(given), {
    Course: 'Logic',
    'Course (2)': 'Sets',
    'Question 3': 'no title',
    'Question 4': 'reserved',
    Days: ['Monday', 'Friday'],
    Grid: ['a, b', ''],
    'Half\ufffd': 'a\ufffdb 😀',
  });
});

test('what a spreadsheet would run, and markup, are kept as they are', () => {
  const name = '=HYPERLINK("https://evil.example","<b>Ada</b>")';
  const made = rowOfAnswer(undefined, answer({ name, form: { '=1+1': '<script>' } }), []);
  assert.equal(made.name, name);
  assert.equal(made.answers, '{"=1+1":"<script>"}');
  assert.equal(script.describingCells(made)[1], `'${name}`);
});
