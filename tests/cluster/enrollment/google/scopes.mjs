// A service answers only if the manifest asks for what it needs; which scopes were needed is kept.
import { manifest } from '../../../unit/enrollment/script.mjs';

export class Scopes {
  needed = new Set();

  need(scope) {
    const whole = `https://www.googleapis.com/auth/${scope}`;
    if (!manifest.oauthScopes.includes(whole)) throw new Error(`Specified permissions are not sufficient: ${whole}`);
    this.needed.add(whole);
  }
}
