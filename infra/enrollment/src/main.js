/** What Google calls: the triggers that Set up installs, and the menu. */

const PATIENCE_MILLISECONDS = 30 * 1000;

/** An answer was given. Which one does not matter: a run takes in all that are new. */
function formSubmitted() {
  run(PATIENCE_MILLISECONDS);
}

/** Time passed. A run that is still under way does all of it, so nobody waits. */
function everyFiveMinutes() {
  run(0);
}

/**
 * A cell was changed by a person; one of a checkbox or its confirmation is an order.
 *
 * @param {{range: GoogleAppsScript.Spreadsheet.Range}} event
 */
function sheetEdited({ range }) {
  const isOrder = range.getColumn() <= COLUMN.confirm && range.getLastColumn() >= COLUMN.stop;
  if (isOrder && range.getSheet().getName() === PEOPLE) run(PATIENCE_MILLISECONDS);
}

/** The spreadsheet was opened: it gets its menu. */
function onOpen() {
  SpreadsheetApp.getUi()
    .createMenu('Kupyterhub')
    .addItem('Enrol the list', 'enrolTheList')
    .addItem('Look at everybody again', 'lookAtEverybody')
    .addSeparator()
    .addItem('Set up', 'setUp')
    .addToUi();
}

/** Menu: rows that were pasted or typed are checked and enrolled. */
function enrolTheList() {
  let judgement = '';
  const left = run(PATIENCE_MILLISECONDS, (sheet, properties) => {
    const judged = judgeList(sheet.read(), properties.profiles());
    sheet.save(judged);
    sheet.giveCheckboxes(judged.map((row) => row.number));
    const refused = judged.filter((row) => row.state === STATE.notEnrolled).length;
    judgement = `${judged.length - refused} good, ${refused} not enrolled${refused ? ' (see Message)' : ''}.`;
  });
  tell(`${judgement} ${left}`);
}

/** Menu: also rows in a final state get what their documents say now. */
function lookAtEverybody() {
  const left = run(PATIENCE_MILLISECONDS, (sheet) => {
    const final = sheet.read().filter(({ enrolledAs, state }) => {
      return enrolledAs && state !== STATE.notEnrolled && FINAL_STATES.includes(state);
    });
    sheet.save(final.map((row) => ({ ...row, state: STATE.enrolled })));
  });
  tell(left || 'Every row is what its document says.');
}

/** @param {string} words */
function tell(words) {
  SpreadsheetApp.getActiveSpreadsheet().toast(words.trim(), 'Kupyterhub');
}
