/** What can be seen to be wrong with an enrolment before it is written. Pure; policy is the controller's. */

const MAX_DISPLAY_NAME = 200;
/** Characters; a cell holds 50,000. */
const MAX_ANSWERS = 40000;

/**
 * What is wrong, for people, or nothing.
 *
 * @param {{email: string, name: string, profile: string, answers: string}} person
 * @param {readonly string[]} profiles those that may be chosen; none means that the controller judges
 * @returns {string}
 */
function problemOf({ email, name, profile, answers }, profiles) {
  if (email === '') return "E-mail: is missing. Give a Google account's address, such as ada@example.com.";
  if (normaliseEmail(email) === null) {
    return `E-mail: “${email}” is no e-mail address. Allowed is one such as ada@example.com, in ASCII, of at most ${MAX_EMAIL} characters.`;
  }
  if (name.length > MAX_DISPLAY_NAME) {
    return `Name: has ${name.length} characters; at most ${MAX_DISPLAY_NAME} are allowed.`;
  }
  if (profile !== '' && profiles.length > 0 && !profiles.includes(profile)) {
    return `Profile: there is no “${profile}”. Allowed: ${profiles.join(', ')}.`;
  }
  if (answers.length > MAX_ANSWERS) {
    return `The answers have ${answers.length} characters together; at most ${MAX_ANSWERS} are kept. Answer again, shorter.`;
  }
  return '';
}

/**
 * The rows of a pasted list, judged: those without a state, and those that were refused before and may be mended now.
 *
 * @param {readonly Row[]} rows all of the sheet
 * @param {readonly string[]} profiles
 * @returns {Row[]} the changed ones
 */
function judgeList(rows, profiles) {
  const isListed = (/** @type {Row} */ row) => row.state === '' || row.state === STATE.notEnrolled;
  const holders = new Map(rows.filter((row) => !isListed(row)).map((row) => [personOf(row), row.number]));
  const changed = [];
  for (const row of rows) {
    if (!isListed(row) || (row.email === '' && row.name === '' && row.profile === '' && !row.formula)) continue;
    const person = personOf(row);
    const holder = holders.get(person);
    const problem = row.formula
      ? 'A cell holds a formula. Paste the list as values only (Edit, Paste special).'
      : problemOf(row, profiles) || (holder ? `E-mail: is that of row ${holder} too.` : '');
    if (problem === '') holders.set(person, row.number);
    changed.push({
      ...row,
      state: problem ? STATE.notEnrolled : STATE.toEnrol,
      message: problem,
      enrolledAs: problem ? '' : person,
    });
  }
  return changed;
}
