/**
 * What a run does, step by step. Each reads the sheet as it is now, does what is still to be done, and writes that into
 * the rows before it goes on: so an end at any point loses nothing, and what is done is not done again.
 */

/** Firestore takes 500 writes at once; with fewer, less is asked again after a fault. */
const BATCH = 200;
/** Answers that are read and written into the sheet together; each costs some calls to the form. */
const ANSWERS_AT_ONCE = 25;
/** In the column Mailed, where Google did not take the mail. */
const NOT_SENT = 'Not sent';

/**
 * @typedef {object} Tools
 * @property {PeopleSheet} sheet
 * @property {Firestore} firestore
 * @property {Properties} properties
 * @property {() => boolean} hasTime whether another batch may begin
 */

/**
 * New answers of the form become rows.
 *
 * @param {Tools} tools
 */
function takeInAnswers({ sheet, properties, hasTime }) {
  const form = new EnrolmentForm(properties);
  const known = new Map(sheet.read().map((row) => [personOf(row), row]));
  const fresh = form.answers().filter((answer) => answer.answered > (known.get(personOf(answer))?.answered ?? ''));
  for (const batch of batchesOf(fresh, ANSWERS_AT_ONCE)) {
    if (!hasTime()) return;
    /** @type {Map<string, Row>} */
    const changed = new Map();
    for (const answer of batch) {
      const person = personOf(answer);
      changed.set(person, rowOfAnswer(changed.get(person) ?? known.get(person), answer.read(), properties.profiles()));
    }
    const rows = [...changed.values()];
    sheet.save(rows.filter((row) => row.number > 0));
    sheet.append(rows.filter((row) => row.number === 0));
    SpreadsheetApp.flush();
    form.seen(/** @type {{answered: string}} */ (batch[batch.length - 1]).answered);
    for (const row of sheet.read()) known.set(personOf(row), row);
  }
}

/**
 * Rows that are to be enrolled become documents, where there is none yet.
 *
 * @param {Tools} tools
 */
function enrol({ sheet, firestore, hasTime }) {
  const pending = sheet.read().filter((row) => row.state === STATE.toEnrol && row.enrolledAs);
  for (const batch of batchesOf(pending, BATCH)) {
    if (!hasTime()) return;
    const outcomes = firestore.write(batch.map((row) => creation(firestore.path(row.enrolledAs), row)));
    sheet.save(batch.map((row, index) => afterCreation(row, /** @type {Outcome} */ (outcomes[index]))));
  }
}

/**
 * Checkboxes become the documents' `state`.
 *
 * @param {Tools} tools
 */
function giveOrders({ sheet, firestore, hasTime }) {
  const rows = sheet.read();
  sheet.save(rows.map(withProblem).filter((row) => row !== null));
  const orders = rows.map((row) => ({ row, state: orderOf(row).state })).filter(({ state }) => state !== '');
  for (const batch of batchesOf(orders, BATCH)) {
    if (!hasTime()) return;
    const outcomes = firestore.write(batch.map(({ row, state }) => stateChange(firestore.path(row.enrolledAs), state)));
    sheet.save(batch.map(({ row, state }, index) => afterOrder(row, state, /** @type {Outcome} */ (outcomes[index]))));
  }
}

/**
 * Rows that are not final get what their documents say.
 *
 * @param {Tools} tools
 */
function look({ sheet, firestore, hasTime }) {
  const open = sheet
    .read()
    .filter((row) => row.enrolledAs && row.state !== STATE.toEnrol && !FINAL_STATES.includes(row.state));
  for (const batch of batchesOf(open, BATCH)) {
    if (!hasTime()) return;
    const documents = firestore.read(batch.map((row) => firestore.path(row.enrolledAs)));
    sheet.save(
      batch.map((row) => afterLook(row, documents.get(firestore.path(row.enrolledAs)))).filter((row) => row !== null),
    );
  }
}

/**
 * Who has become ready and was not mailed yet gets a mail, while the day's quota lasts.
 *
 * @param {Tools} tools
 */
function mail({ sheet, properties, hasTime }) {
  if (!properties.mails()) return;
  const due = sheet.read().filter((row) => row.state === 'Ready' && row.url && row.enrolledAs && !row.mailed);
  for (const row of due) {
    if (!hasTime() || MailApp.getRemainingDailyQuota() < 1) return;
    // Written first: who is killed in between has mailed nobody twice.
    sheet.save([{ ...row, mailed: new Date().toISOString() }]);
    SpreadsheetApp.flush();
    const { to, subject, body } = letterOf(row);
    try {
      MailApp.sendEmail(to, subject, body);
    } catch {
      // The error may name the person. An address that is refused keeps nobody else from being mailed.
      sheet.save([{ ...row, mailed: NOT_SENT }]);
    }
  }
}

/**
 * @template Item
 * @param {readonly Item[]} items
 * @param {number} size
 * @returns {Item[][]}
 */
function batchesOf(items, size) {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
