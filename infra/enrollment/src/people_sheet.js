/** The sheet of people, with a row for each. The only file that reads and writes their cells. */

const PEOPLE = 'People';
const FIRST_ROW = 2;

class PeopleSheet {
  /** @param {GoogleAppsScript.Spreadsheet.Sheet} sheet */
  constructor(sheet) {
    this.sheet = sheet;
  }

  /**
   * @returns {PeopleSheet}
   * @throws {Refused} where Set up has not made it yet
   */
  static ofThisSpreadsheet() {
    const sheet = SpreadsheetApp.getActiveSpreadsheet().getSheetByName(PEOPLE);
    if (!sheet) throw new Refused(`There is no sheet “${PEOPLE}”. Run setUp first.`);
    return new PeopleSheet(sheet);
  }

  /** @returns {Row[]} one of each person; what is a copy of a row above it is left out */
  read() {
    const rows = this.readAll();
    const seen = new Set();
    return rows.filter(({ enrolledAs }) => !enrolledAs || (!seen.has(enrolledAs) && seen.add(enrolledAs)));
  }

  /** @returns {Row[]} */
  readAll() {
    const height = this.sheet.getLastRow() - FIRST_ROW + 1;
    if (height < 1) return [];
    const values = this.sheet.getRange(FIRST_ROW, 1, height, HEADINGS.length).getValues();
    const formulas = this.sheet.getRange(FIRST_ROW, 1, height, COLUMN.profile).getFormulas();
    return values.map((cells, index) => rowOf(FIRST_ROW + index, cells, formulas[index] ?? []));
  }

  /**
   * Write the script's columns of these rows. People sort, insert and remove rows while Firestore is asked, so each
   * row is looked for again first; one that is gone is left out.
   *
   * @param {readonly Row[]} rows
   */
  save(rows) {
    if (rows.length === 0) return;
    const placed = placesOf(rows, this.read());
    for (const run of runsOf([...placed.keys()])) {
      const cells = run.map((number) => scriptCells(/** @type {Row} */ (placed.get(number))));
      this.block(run, COLUMN.state, COLUMN.answers).setValues(cells);
    }
    for (const [number, row] of placed) {
      if (row.describes) this.block([number], COLUMN.email, COLUMN.profile).setValues([describingCells(row)]);
    }
  }

  /**
   * Add rows beneath the last one.
   *
   * @param {readonly Row[]} rows
   */
  append(rows) {
    if (rows.length === 0) return;
    const first = this.sheet.getLastRow() + 1;
    const lacking = first + rows.length - 1 - this.sheet.getMaxRows();
    if (lacking > 0) this.sheet.insertRowsAfter(this.sheet.getMaxRows(), lacking);
    const run = rows.map((_, index) => first + index);
    const cells = rows.map((row) => [...describingCells(row), false, false, '', ...scriptCells(row)]);
    this.block(run, COLUMN.email, COLUMN.answers).setValues(cells);
    this.giveCheckboxes(run);
  }

  /**
   * Let these rows have checkboxes. Rows without a person have none: a cell with an empty box would count as a row.
   *
   * @param {readonly number[]} numbers
   */
  giveCheckboxes(numbers) {
    const checkbox = SpreadsheetApp.newDataValidation().requireCheckbox().build();
    for (const run of runsOf(numbers)) this.block(run, COLUMN.stop, COLUMN.delete).setDataValidation(checkbox);
  }

  /**
   * @param {readonly number[]} run numbers of rows without a gap
   * @param {number} first column
   * @param {number} last column
   */
  block(run, first, last) {
    return this.sheet.getRange(Number(run[0]), first, run.length, last - first + 1);
  }
}
