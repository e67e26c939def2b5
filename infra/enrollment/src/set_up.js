/** Set up: makes sheet, form and triggers, each only where it is not there yet. Run again, it mends what is missing. */

/** Run this once, from the editor or the menu. It logs the form's address. */
function setUp() {
  const lock = LockService.getScriptLock();
  if (!lock.tryLock(PATIENCE_MILLISECONDS)) throw new Refused('Another run is under way. Try again in a minute.');
  try {
    const properties = new Properties();
    properties.project();
    const spreadsheet = SpreadsheetApp.getActiveSpreadsheet();
    const sheet = spreadsheet.getSheetByName(PEOPLE) ?? spreadsheet.insertSheet(PEOPLE);
    setUpColumns(sheet);
    setUpProfiles(sheet, properties.profiles());
    const form = setUpForm(properties);
    setUpTriggers(spreadsheet, form);
    const address = form.getPublishedUrl();
    console.log(`Ready. The form: ${address}`);
    spreadsheet.toast(`Ready. The form: ${address}`, 'Kupyterhub');
  } finally {
    SpreadsheetApp.flush();
    lock.releaseLock();
  }
}

/** @param {GoogleAppsScript.Spreadsheet.Sheet} sheet */
function setUpColumns(sheet) {
  const headings = sheet.getRange(1, 1, 1, HEADINGS.length);
  if (headings.getValues()[0]?.join() !== HEADINGS.join()) {
    if (sheet.getLastRow() > 0) {
      throw new Refused(`The sheet “${PEOPLE}” has other headings. Rename it, and run Set up again.`);
    }
    headings.setValues([[...HEADINGS]]).setFontWeight('bold');
    // What is pasted here stays text: neither a formula nor a number.
    const height = sheet.getMaxRows() - 1;
    sheet.getRange(FIRST_ROW, COLUMN.email, height, COLUMN.profile).setNumberFormat('@');
    sheet.getRange(FIRST_ROW, COLUMN.confirm, height, 1).setNumberFormat('@');
  }
  if (sheet.getFrozenRows() !== 1) sheet.setFrozenRows(1);
  if (!sheet.isColumnHiddenByUser(COLUMN.answered)) {
    sheet.hideColumns(COLUMN.answered, COLUMN.answers - COLUMN.answered + 1);
  }
  if (sheet.getProtections(SpreadsheetApp.ProtectionType.RANGE).length === 0) {
    sheet
      .getRange(1, COLUMN.state, sheet.getMaxRows(), COLUMN.answers - COLUMN.state + 1)
      .protect()
      .setDescription('Written by the script')
      .setWarningOnly(true);
  }
}

/**
 * @param {GoogleAppsScript.Spreadsheet.Sheet} sheet
 * @param {string[]} profiles
 */
function setUpProfiles(sheet, profiles) {
  const cells = sheet.getRange(FIRST_ROW, COLUMN.profile, sheet.getMaxRows() - 1, 1);
  const offered = cells.getDataValidation()?.getCriteriaValues()[0] ?? [];
  if (offered.join() === profiles.join()) return;
  const rule = () =>
    SpreadsheetApp.newDataValidation().requireValueInList(profiles, true).setAllowInvalid(false).build();
  cells.setDataValidation(profiles.length > 0 ? rule() : null);
}

/**
 * @param {Properties} properties
 * @returns {GoogleAppsScript.Forms.Form}
 */
function setUpForm(properties) {
  const form = properties.get('form') ? FormApp.openById(properties.get('form')) : newForm(properties);
  if (!collectsVerifiedEmails(form)) {
    form.setEmailCollectionType(FormApp.EmailCollectionType.VERIFIED);
    // Answers of before may carry an e-mail that somebody typed: they are not taken in.
    properties.set('answersFrom', new Date().toISOString());
  }
  if (!hasItem(form, properties.get('nameQuestion'))) {
    const item = form.addTextItem().setTitle('Name').setHelpText('How we may call you; can be left empty.');
    properties.set('nameQuestion', String(item.getId()));
  }
  setUpProfileQuestion(form, properties);
  if (!form.isPublished()) form.setPublished(true);
  return form;
}

/**
 * @param {Properties} properties
 * @returns {GoogleAppsScript.Forms.Form}
 */
function newForm(properties) {
  const form = FormApp.create('Enrol for JupyterLab');
  // Kept at once: a run that ends here makes no second form later.
  properties.set('form', form.getId());
  form.setDescription('You get a JupyterLab of your own, for the Google account with which you are signed in now.');
  form.setConfirmationMessage('Thank you. Your JupyterLab is being prepared; you will be told its address.');
  return form;
}

/**
 * The form asks for a profile where there is a choice.
 *
 * @param {GoogleAppsScript.Forms.Form} form
 * @param {Properties} properties
 */
function setUpProfileQuestion(form, properties) {
  const profiles = properties.profiles();
  const id = properties.get('profileQuestion');
  if (profiles.length < 2) {
    if (hasItem(form, id)) form.deleteItem(form.getItemById(Number(id)));
    return;
  }
  const item = hasItem(form, id) ? form.getItemById(Number(id)).asListItem() : form.addListItem().setTitle('Profile');
  if (
    item
      .getChoices()
      .map((choice) => choice.getValue())
      .join() !== profiles.join()
  )
    item.setChoiceValues(profiles);
  if (!item.isRequired()) item.setRequired(true);
  if (id !== String(item.getId())) properties.set('profileQuestion', String(item.getId()));
}

/**
 * @param {GoogleAppsScript.Forms.Form} form
 * @param {string} id
 * @returns {boolean}
 */
function hasItem(form, id) {
  return form.getItems().some((item) => String(item.getId()) === id);
}

/**
 * @param {GoogleAppsScript.Spreadsheet.Spreadsheet} spreadsheet
 * @param {GoogleAppsScript.Forms.Form} form
 */
function setUpTriggers(spreadsheet, form) {
  const present = ScriptApp.getProjectTriggers().map((trigger) => trigger.getHandlerFunction());
  const makers = {
    formSubmitted: () => ScriptApp.newTrigger('formSubmitted').forForm(form).onFormSubmit().create(),
    sheetEdited: () => ScriptApp.newTrigger('sheetEdited').forSpreadsheet(spreadsheet).onEdit().create(),
    everyFiveMinutes: () => ScriptApp.newTrigger('everyFiveMinutes').timeBased().everyMinutes(5).create(),
  };
  for (const [handler, make] of Object.entries(makers)) if (!present.includes(handler)) make();
}
