// A real OpenID provider for the tests: oidc-provider, with the accounts and the client that a JSON file names.
// Arguments: the folder with node_modules, the JSON file. It prints one line once it listens.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const [modules, file] = process.argv.slice(2);
const { issuer, client, accounts, claimsInToken, logout } = JSON.parse(readFileSync(file, 'utf8'));
const { Provider } = await import(pathToFileURL(`${modules}/node_modules/oidc-provider/lib/index.js`));

const provider = new Provider(issuer, {
  clients: [client],
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: !claimsInToken,
  cookies: { keys: ['for tests'] },
  features: { rpInitiatedLogout: { enabled: logout } },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...accounts[sub] }) }),
  pkce: { required: () => true },
});
const { hostname, port } = new URL(issuer);
createServer(provider.callback()).listen(Number(port), hostname, () => console.log('listening'));
