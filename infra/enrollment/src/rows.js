/**
 * A row of the sheet: which column is what. Pure.
 *
 * The first six columns are people's, the rest is the script's. A row holds all that is known of what is still to be
 * done for a person, so that a run may end anywhere and the next one goes on.
 */

const COLUMN = Object.freeze({
  email: 1,
  name: 2,
  profile: 3,
  stop: 4,
  delete: 5,
  confirm: 6,
  state: 7,
  url: 8,
  message: 9,
  mailed: 10,
  answered: 11,
  applied: 12,
  enrolledAs: 13,
  answers: 14,
});

const HEADINGS = Object.freeze([
  'E-mail',
  'Name',
  'Profile',
  'Stop',
  'Delete',
  'Confirm delete',
  'State',
  'URL',
  'Message',
  'Mailed',
  'Answered',
  'Applied',
  'Enrolled as',
  'Answers',
]);

/**
 * @typedef {object} Row
 * @property {number} number where it was when it was read; people sort and insert rows at any time
 * @property {string} email as it was typed or collected
 * @property {string} name
 * @property {string} profile
 * @property {boolean} formula whether one of these three cells is a formula
 * @property {boolean} stop
 * @property {boolean} delete
 * @property {string} confirm
 * @property {string} state
 * @property {string} url
 * @property {string} message
 * @property {string} mailed when the person was mailed, as an RFC 3339 timestamp; or that it could not be
 * @property {string} answered of the newest answer that was taken in, likewise
 * @property {string} applied the `state` that the sheet wrote last: stopped, deleted, running or nothing
 * @property {string} enrolledAs the lower-case e-mail of the document, from enrolment on
 * @property {string} answers the form's further answers as JSON, until they are in the document
 * @property {boolean} [describes] whether name and profile are to be written too
 */

/**
 * @param {number} number
 * @param {readonly any[]} values of all columns
 * @param {readonly string[]} formulas of the first three
 * @returns {Row}
 */
function rowOf(number, values, formulas) {
  /** @param {keyof typeof COLUMN} column */
  const cell = (column) => values[COLUMN[column] - 1];
  /** @param {keyof typeof COLUMN} column */
  const words = (column) => String(cell(column)).trim();
  return {
    number,
    email: words('email'),
    name: words('name'),
    profile: words('profile'),
    formula: formulas.some((formula) => formula !== ''),
    stop: cell('stop') === true,
    delete: cell('delete') === true,
    confirm: words('confirm'),
    state: words('state'),
    url: words('url'),
    message: words('message'),
    mailed: words('mailed'),
    answered: words('answered'),
    applied: words('applied'),
    enrolledAs: words('enrolledAs'),
    answers: words('answers'),
  };
}

/**
 * By what a person is found again among the rows.
 *
 * @param {{email: string, enrolledAs?: string}} row
 * @returns {string}
 */
function personOf({ email, enrolledAs }) {
  return enrolledAs || normaliseEmail(email) || email;
}

/**
 * @param {Row} row
 * @returns {string[]} the cells of the first three columns
 */
function describingCells({ email, name, profile }) {
  return [email, name, profile].map(asText);
}

/**
 * @param {Row} row
 * @returns {string[]} the cells of the script's own columns
 */
function scriptCells({ state, url, message, mailed, answered, applied, enrolledAs, answers }) {
  return [state, url, message, mailed, answered, applied, enrolledAs, answers].map(asText);
}

/**
 * A cell that shows exactly this text. A spreadsheet reads what is written as if it were typed: it would run formulas,
 * and make numbers and dates of what looks like them; an apostrophe in front says that it is text, and is not shown.
 *
 * @param {string} words
 * @returns {string}
 */
function asText(words) {
  return words === '' ? '' : `'${words}`;
}

/**
 * Numbers as runs without gaps: each is one call to the spreadsheet.
 *
 * @param {readonly number[]} numbers
 * @returns {number[][]}
 */
function runsOf(numbers) {
  /** @type {number[][]} */
  const runs = [];
  for (const number of [...numbers].sort((one, other) => one - other)) {
    const last = runs[runs.length - 1];
    if (last && last[last.length - 1] === number - 1) last.push(number);
    else runs.push([number]);
  }
  return runs;
}

/**
 * Where rows that were read before are now.
 *
 * @param {readonly Row[]} rows
 * @param {readonly Row[]} present
 * @returns {Map<number, Row>} by their numbers of now
 */
function placesOf(rows, present) {
  const enrolled = new Map(present.filter((row) => row.enrolledAs).map((row) => [row.enrolledAs, row]));
  const numbered = new Map(present.map((row) => [row.number, row]));
  /** @type {Map<number, Row>} */
  const placed = new Map();
  for (const row of rows) {
    const there = numbered.get(row.number);
    const isThere = there && personOf(there) === personOf({ email: row.email });
    const found = enrolled.get(row.enrolledAs) ?? (isThere ? there : undefined);
    if (found) placed.set(found.number, row);
  }
  return placed;
}
