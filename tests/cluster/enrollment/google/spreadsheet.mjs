// SpreadsheetApp, as far as the script uses it. Strict: what is not here does not exist, sizes have to match, and what
// is written into a cell is read as if it were typed.

const ROWS_OF_A_NEW_SHEET = 1000;
const COLUMNS_OF_A_NEW_SHEET = 26;

class Cell {
  value = '';
  formula = '';
  format = '';
  validation = null;

  type(entered) {
    this.formula = '';
    if (typeof entered === 'boolean' || typeof entered === 'number') this.value = entered;
    else if (typeof entered !== 'string') throw new Error(`The value cannot be written: ${entered}`);
    else if (entered.startsWith("'")) this.value = entered.slice(1);
    // A formula that a script writes is one whatever the cell's format says.
    else if (entered.startsWith('=') || entered.startsWith('+')) [this.formula, this.value] = [entered, '#RUN!'];
    else if (this.format !== '@' && entered.trim() !== '' && !Number.isNaN(Number(entered)))
      this.value = Number(entered);
    else if (this.format !== '@' && /^(true|false)$/i.test(entered)) this.value = /^true$/i.test(entered);
    else this.value = entered;
    if (this.value.length > 50000) throw new Error('Your input contains more than the maximum of 50000 characters.');
  }
}

class Range {
  constructor(sheet, row, column, height, width) {
    Object.assign(this, { sheet, row, column, height, width });
  }

  rows() {
    const rows = this.sheet.grid.slice(this.row - 1, this.row - 1 + this.height);
    return rows.map((cells) => cells.slice(this.column - 1, this.column - 1 + this.width));
  }

  write(change) {
    this.sheet.writes += 1;
    this.rows().forEach((cells, down) => cells.forEach((cell, across) => change(cell, down, across)));
    return this;
  }

  getSheet() {
    return this.sheet;
  }

  getColumn() {
    return this.column;
  }

  getLastColumn() {
    return this.column + this.width - 1;
  }

  getValues() {
    return this.rows().map((cells) => cells.map((cell) => cell.value));
  }

  getFormulas() {
    return this.rows().map((cells) => cells.map((cell) => cell.formula));
  }

  setValues(values) {
    if (values.length !== this.height || values.some((cells) => cells.length !== this.width)) {
      throw new Error(`The data has another size than the range of ${this.height} rows and ${this.width} columns.`);
    }
    return this.write((cell, down, across) => cell.type(values[down][across]));
  }

  setNumberFormat(format) {
    return this.write((cell) => (cell.format = format));
  }

  setFontWeight() {
    return this.write(() => {});
  }

  getDataValidation() {
    return this.rows()[0][0].validation;
  }

  setDataValidation(rule) {
    return this.write((cell) => (cell.validation = rule));
  }

  protect() {
    this.sheet.writes += 1;
    const protection = {
      setDescription: () => protection,
      setWarningOnly: (only) => Object.assign(protection, { warningOnly: only }),
    };
    this.sheet.protections.push(protection);
    return protection;
  }
}

class Sheet {
  frozen = 0;
  hidden = new Set();
  protections = [];
  writes = 0;

  constructor(name) {
    this.name = name;
    this.grid = Array.from({ length: ROWS_OF_A_NEW_SHEET }, () => this.line());
  }

  line() {
    return Array.from({ length: COLUMNS_OF_A_NEW_SHEET }, () => new Cell());
  }

  getName() {
    return this.name;
  }

  getMaxRows() {
    return this.grid.length;
  }

  getLastRow() {
    return this.grid.findLastIndex((cells) => cells.some((cell) => cell.value !== '')) + 1;
  }

  getRange(row, column, height, width) {
    const fits = row >= 1 && column >= 1 && height >= 1 && width >= 1;
    if (!fits || row + height - 1 > this.grid.length || column + width - 1 > COLUMNS_OF_A_NEW_SHEET) {
      throw new Error('The coordinates of the range are outside the dimensions of the sheet.');
    }
    return new Range(this, row, column, height, width);
  }

  insertRowsAfter(row, count) {
    this.writes += 1;
    this.grid.splice(row, 0, ...Array.from({ length: count }, () => this.line()));
  }

  getFrozenRows() {
    return this.frozen;
  }

  setFrozenRows(rows) {
    this.writes += 1;
    this.frozen = rows;
  }

  isColumnHiddenByUser(column) {
    return this.hidden.has(column);
  }

  hideColumns(first, count) {
    this.writes += 1;
    for (let column = first; column < first + count; column += 1) this.hidden.add(column);
  }

  getProtections(type) {
    if (type !== 'RANGE') throw new Error(`unknown type of protection: ${type}`);
    return this.protections;
  }
}

class ValidationBuilder {
  requireCheckbox() {
    this.values = [];
    return this;
  }

  requireValueInList(values, dropdown) {
    if (values.length === 0) throw new Error('A list has to have a value.');
    this.values = [values, dropdown];
    return this;
  }

  setAllowInvalid() {
    return this;
  }

  build() {
    return { getCriteriaValues: () => this.values };
  }
}

/** One spreadsheet, to which the script is bound, and the service through which the script gets at it. */
export class Spreadsheet {
  sheets = [];
  toasts = [];
  menus = [];

  getSheetByName(name) {
    return this.sheets.find((sheet) => sheet.name === name) ?? null;
  }

  insertSheet(name) {
    this.sheets.push(new Sheet(name));
    return this.getSheetByName(name);
  }

  toast(words) {
    this.toasts.push(words);
  }

  /** What was written is there at once. */
  flush() {}

  service(scopes) {
    const menu = (name) => {
      const items = [];
      const built = {
        addItem: (title, handler) => (items.push([title, handler]), built),
        addSeparator: () => built,
        addToUi: () => this.menus.push({ name, items }),
      };
      return built;
    };
    return {
      ProtectionType: { RANGE: 'RANGE' },
      getActiveSpreadsheet: () => {
        scopes.need('spreadsheets.currentonly');
        return this;
      },
      newDataValidation: () => new ValidationBuilder(),
      flush: () => this.flush(),
      getUi: () => ({ createMenu: menu }),
    };
  }
}
