// An identity provider on loopback, with people of its own. It prints its port. `POST /people` says who signs in next and
// what is known of them, `POST /client` where the browser is sent back to.
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(path.join(process.env.PROVIDER_PACKAGES, 'x.js'));
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

// Its hints for who runs it for real have no reader here.
console.info = () => {};
console.warn = () => {};

let provider;
let signsIn = null;
const people = new Map();

const body = async (request) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString());
};

const begin = (issuer, redirect) => {
  const made = new Provider(issuer, {
    clients: [{ client_id: 'inbox', client_secret: 'secret:of+this host', redirect_uris: [redirect] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    cookies: { keys: ['only for this test'] },
    features: { devInteractions: { enabled: false } },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people.get(id) }) }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: async (ctx) => {
      const { accountId } = ctx.oidc.session;
      const grant = new ctx.oidc.provider.Grant({ accountId, clientId: ctx.oidc.client.clientId });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
    pkce: { required: () => true },
  });
  return made;
};

const server = http.createServer(async (request, response) => {
  try {
    if (request.url === '/client') {
      provider = begin(`http://127.0.0.1:${server.address().port}`, (await body(request)).redirect);
      response.end();
    } else if (request.url === '/people') {
      const { id, ...claims } = await body(request);
      signsIn = id;
      people.set(id, claims);
      response.end();
    } else if (request.url.startsWith('/interaction/')) {
      const refused = { error: 'access_denied', error_description: 'the person pressed Cancel' };
      const result = signsIn === null ? refused : { login: { accountId: signsIn } };
      await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    } else {
      provider.callback()(request, response);
    }
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error));
  }
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
// It ends with whoever started it.
process.stdin.resume();
process.stdin.on('end', () => process.exit());
