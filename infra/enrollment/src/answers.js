/** The form's answers become rows. Pure. */

/**
 * @typedef {object} Answer
 * @property {string} email that of the account which was signed in
 * @property {string} answered RFC 3339, UTC
 * @property {string} name
 * @property {string} profile
 * @property {Record<string, unknown>} form all other answers, by question
 */

/**
 * One more answer among the rows. A person who is there already keeps their row: it only says to try again, which
 * changes nothing while their document exists.
 *
 * @param {Row | undefined} row of that person
 * @param {Answer} answer
 * @param {readonly string[]} profiles
 * @returns {Row}
 */
function rowOfAnswer(row, answer, profiles) {
  const { email, name, profile, answered } = answer;
  const answers = Object.keys(answer.form).length > 0 ? JSON.stringify(answer.form) : '';
  const problem = problemOf({ email, name, profile, answers }, profiles);
  if (row && problem && row.state !== STATE.notEnrolled) return { ...row, answered };
  return {
    ...(row ?? emptyRow()),
    email,
    name,
    profile,
    answered,
    answers: problem ? '' : answers,
    state: problem ? STATE.notEnrolled : STATE.toEnrol,
    message: problem,
    enrolledAs: problem ? '' : personOf({ email }),
    describes: true,
  };
}

/** @returns {Row} */
function emptyRow() {
  return rowOf(
    0,
    HEADINGS.map(() => ''),
    [],
  );
}

/**
 * Answers to questions as a map that Firestore takes: no empty, reserved or double keys, and lists of texts only.
 *
 * @param {readonly {question: string, answer: unknown}[]} given
 * @returns {Record<string, string | string[]>}
 */
function formFields(given) {
  /** @type {Record<string, string | string[]>} */
  const fields = {};
  given.forEach(({ question, answer }, index) => {
    if (answer === null || answer === undefined || answer === '') return;
    fields[freeKey(fields, question, index)] = Array.isArray(answer) ? answer.map(asWords) : asWords(answer);
  });
  return fields;
}

const MAX_KEY = 200;

/**
 * @param {Record<string, unknown>} fields
 * @param {string} question
 * @param {number} index
 * @returns {string}
 */
function freeKey(fields, question, index) {
  const title = wellFormed(question.trim()).slice(0, MAX_KEY);
  // Firestore keeps names like __this__ for itself.
  const key = title === '' || /^__.*__$/s.test(title) ? `Question ${index + 1}` : wellFormed(title);
  for (let count = 1; ; count += 1) {
    const candidate = count === 1 ? key : `${key} (${count})`;
    if (!Object.prototype.hasOwnProperty.call(fields, candidate)) return candidate;
  }
}

/**
 * @param {unknown} answer one text; a grid's row is a list of them
 * @returns {string}
 */
function asWords(answer) {
  return wellFormed(Array.isArray(answer) ? answer.join(', ') : String(answer ?? ''));
}

/**
 * Text that can be sent as UTF-8: half a character, which Firestore refuses, becomes U+FFFD.
 *
 * @param {string} text
 * @returns {string}
 */
function wellFormed(text) {
  return text.replace(/[\ud800-\udfff]/gu, '\ufffd');
}
