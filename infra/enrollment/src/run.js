/** One run: everything that is to be done is done, by one run at a time. Whoever starts it only says "look". */

/** Google ends a script after 6 minutes; a batch with its attempts takes under a minute. */
const RUN_MILLISECONDS = 4.5 * 60 * 1000;

const BUSY = 'Another run is under way. Try again in a minute.';

/**
 * @param {number} wait milliseconds for which another run may go on
 * @param {(sheet: PeopleSheet, properties: Properties) => void} [first] what a person asked for beside
 * @returns {string} what is left, in a sentence for people; empty where nothing is
 * @throws {Refused}
 */
function run(wait, first) {
  const start = Date.now();
  const lock = LockService.getScriptLock();
  if (!lock.tryLock(wait)) return BUSY;
  try {
    const properties = new Properties();
    const sheet = PeopleSheet.ofThisSpreadsheet();
    if (first) first(sheet, properties);
    const hasTime = () => Date.now() - start < RUN_MILLISECONDS;
    const tools = { sheet, properties, hasTime, firestore: new Firestore(properties.project()) };
    return leftAfter(tools);
  } finally {
    SpreadsheetApp.flush();
    lock.releaseLock();
  }
}

/**
 * @param {Tools} tools
 * @returns {string}
 */
function leftAfter(tools) {
  try {
    // Whoever is to be stopped or deleted is so even while the form has a fault.
    for (const step of [giveOrders, takeInAnswers, enrol, look, mail]) step(tools);
  } catch (error) {
    if (!(error instanceof Later)) throw error;
    console.warn(error.message);
    return `${error.message} It goes on by itself within 5 minutes.`;
  }
  return tools.hasTime() ? '' : 'There is more to do: it goes on by itself within 5 minutes.';
}
