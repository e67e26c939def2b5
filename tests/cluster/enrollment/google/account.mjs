// What else the script uses of its account: properties, triggers, the lock, mail, time.
import { Utilities } from '../../../unit/enrollment/twins.mjs';

export class Account {
  properties = new Map();
  triggers = [];
  locked = false;
  mails = [];
  mailQuota = 100;
  refusedAddress = '';
  sleeps = [];
  /** Milliseconds by which this clock is ahead. */
  ahead = 0;

  now() {
    return Date.now() + this.ahead;
  }

  clock() {
    const now = () => this.now();
    return class extends Date {
      constructor(...given) {
        super(...(given.length ? given : [now()]));
      }

      static now() {
        return now();
      }
    };
  }

  services(scopes) {
    return {
      LockService: { getScriptLock: () => this.lock() },
      PropertiesService: {
        getScriptProperties: () => ({
          getProperty: (name) => this.properties.get(name) ?? null,
          setProperty: (name, value) => {
            if (typeof value !== 'string') throw new Error('Only text can be kept.');
            this.properties.set(name, value);
          },
        }),
      },
      MailApp: {
        getRemainingDailyQuota: () => {
          scopes.need('script.send_mail');
          return this.mailQuota;
        },
        sendEmail: (to, subject, body) => {
          scopes.need('script.send_mail');
          if (this.mailQuota < 1) throw new Error('Service invoked too many times for one day: email.');
          if (to === this.refusedAddress) throw new Error(`Invalid email: ${to}`);
          this.mailQuota -= 1;
          this.mails.push({ to, subject, body });
        },
      },
      Utilities: {
        ...Utilities,
        sleep: (milliseconds) => {
          this.sleeps.push(milliseconds);
          this.ahead += milliseconds;
        },
      },
    };
  }

  lock() {
    let mine = false;
    return {
      tryLock: () => {
        if (this.locked) return false;
        mine = this.locked = true;
        return true;
      },
      releaseLock: () => {
        if (mine) mine = this.locked = false;
      },
    };
  }

  script(scopes) {
    const maker = (handler) => {
      const described = { handler };
      const add = (fields) => Object.assign(described, fields) && built;
      const built = {
        forForm: (form) => add({ source: form.id }),
        forSpreadsheet: () => add({ source: 'spreadsheet' }),
        timeBased: () => add({ source: 'clock' }),
        onFormSubmit: () => add({ event: 'submit' }),
        onEdit: () => add({ event: 'edit' }),
        everyMinutes: (minutes) => {
          if (![1, 5, 10, 15, 30].includes(minutes)) throw new Error('The minutes are none that Google has.');
          return add({ event: `${minutes} minutes` });
        },
        create: () => this.triggers.push(described),
      };
      return built;
    };
    return {
      getProjectTriggers: () => {
        scopes.need('script.scriptapp');
        return this.triggers.map(({ handler }) => ({ getHandlerFunction: () => handler }));
      },
      newTrigger: (handler) => {
        scopes.need('script.scriptapp');
        return maker(handler);
      },
    };
  }
}
