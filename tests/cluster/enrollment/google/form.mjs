// FormApp, as far as the script uses it, and people who answer.

const COLLECTION = { DO_NOT_COLLECT: 'DO_NOT_COLLECT', VERIFIED: 'VERIFIED', RESPONDER_INPUT: 'RESPONDER_INPUT' };

class Item {
  constructor(form, id, kind) {
    Object.assign(this, { form, id, kind, title: '', choices: [], required: false });
  }

  change(fields) {
    this.form.changes += 1;
    return Object.assign(this, fields);
  }

  getId() {
    return this.id;
  }

  getTitle() {
    return this.title;
  }

  setTitle(title) {
    return this.change({ title });
  }

  setHelpText() {
    return this.change({});
  }

  asListItem() {
    if (this.kind !== 'list') throw new Error('Invalid conversion for item type');
    return this;
  }

  getChoices() {
    return this.choices.map((choice) => ({ getValue: () => choice }));
  }

  setChoiceValues(choices) {
    return this.change({ choices: [...choices] });
  }

  isRequired() {
    return this.required;
  }

  setRequired(required) {
    return this.change({ required });
  }
}

class Form {
  items = [];
  responses = [];
  collection = COLLECTION.DO_NOT_COLLECT;
  published = false;
  changes = 0;
  opened = 0;

  constructor(id, title, forms) {
    Object.assign(this, { id, title, forms });
  }

  getId() {
    return this.id;
  }

  getPublishedUrl() {
    return `https://docs.google.com/forms/d/e/${this.id}/viewform`;
  }

  setDescription() {
    if (this.forms.interrupted) throw new Error('Exceeded maximum execution time');
    this.changes += 1;
    return this;
  }

  setConfirmationMessage() {
    this.changes += 1;
    return this;
  }

  getEmailCollectionType() {
    return this.collection;
  }

  setEmailCollectionType(collection) {
    this.changes += 1;
    this.collection = collection;
    return this;
  }

  isPublished() {
    return this.published;
  }

  setPublished(published) {
    this.changes += 1;
    this.published = published;
    return this;
  }

  add(kind) {
    this.changes += 1;
    this.items.push(new Item(this, 1000 + this.changes, kind));
    return this.items.at(-1);
  }

  addTextItem() {
    return this.add('text');
  }

  addListItem() {
    return this.add('list');
  }

  getItems() {
    return this.items;
  }

  getItemById(id) {
    return this.items.find((item) => item.id === id) ?? null;
  }

  deleteItem(item) {
    this.changes += 1;
    this.items = this.items.filter((each) => each !== item);
  }

  getResponses(since) {
    return this.responses.filter((response) => response.getTimestamp() >= since);
  }

  /** A person answers: `said` by the questions' titles. */
  answer(email, said, at) {
    if (!this.published) throw new Error('The form is not published.');
    const given = Object.entries(said).map(([title, response]) => {
      const item = this.items.find((each) => each.title === title);
      if (!item) throw new Error(`There is no question “${title}”.`);
      return { getItem: () => item, getResponse: () => response };
    });
    this.responses.push({
      getRespondentEmail: () => (this.collection === COLLECTION.DO_NOT_COLLECT ? '' : email),
      getTimestamp: () => at,
      getItemResponses: () => {
        this.opened += 1;
        return given;
      },
    });
  }
}

/** All forms of the account, and the service through which the script gets at them. */
export class Forms {
  all = [];
  /** Whether the script is ended as soon as it changes a form that it made. */
  interrupted = false;

  service(scopes) {
    return {
      EmailCollectionType: COLLECTION,
      create: (title) => {
        scopes.need('forms');
        this.all.push(new Form(`form-${this.all.length + 1}`, title, this));
        return this.all.at(-1);
      },
      openById: (id) => {
        scopes.need('forms');
        const form = this.all.find((each) => each.id === id);
        if (!form) throw new Error('No item with the given ID could be found.');
        return form;
      },
    };
  }
}
