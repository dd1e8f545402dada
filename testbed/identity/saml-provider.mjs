// A real provider of SAML 2.0, the npm package `samlp`, on a free port of this machine, for tests. Prints its address as the first line;
// its metadata is below it at `/metadata`. Ends with its standard input.
//
// `PUT /test/users/NAME` sets what it says of somebody: a JSON object of attributes. Everybody signs in with any password, in a form of
// ours: the package has none. It signs both response and assertion.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import samlp from 'samlp';

// The package says so itself at each response, in a word that Node deprecates.
process.noDeprecation = true;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reeve-saml-'));
execFileSync(
  'openssl',
  ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=samlp', '-keyout', 'key', '-out', 'cert'],
  { cwd: folder, stdio: 'ignore' },
);
const [key, cert] = ['key', 'cert'].map((name) => fs.readFileSync(path.join(folder, name), 'utf8'));
fs.rmSync(folder, { recursive: true });
process.stdin.resume().on('end', () => process.exit(0));

const users = new Map();
const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

// What the package asks of a user: a name, and attributes that are sent as they are.
function mapper(user) {
  return {
    getClaims: () => user.attributes,
    getNameIdentifier: () => ({
      nameIdentifier: user.name,
      nameIdentifierFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    }),
  };
}
mapper.prototype.metadata = [];

const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, `http://${request.headers.host}`);
  let body = '';
  for await (const chunk of request) body += chunk;
  const user = url.pathname.match(/^\/test\/users\/([a-z0-9-]+)$/);
  if (user) {
    users.set(user[1], JSON.parse(body));
    return response.writeHead(204).end();
  }
  response.set = (name, value) => response.setHeader(name, value);
  response.send = (text) => (typeof text === 'number' ? response.writeHead(text).end() : response.end(text));
  request.query = Object.fromEntries(url.searchParams);
  request.body = Object.fromEntries(new URLSearchParams(body));
  request.originalUrl = request.url;
  request.protocol = 'http';
  const issuer = `http://${request.headers.host}`;
  if (url.pathname === '/metadata') {
    const endpoints = { redirectEndpointPath: '/sign-in', postEndpointPath: '/sign-in' };
    return samlp.metadata({ issuer: `${issuer}/metadata`, cert, profileMapper: mapper, ...endpoints })(request, response);
  }
  if (url.pathname !== '/sign-in') return response.writeHead(404).end();
  const name = request.body.login;
  if (!name) {
    response.setHeader('content-type', 'text/html');
    return response.end(
      `<!doctype html><title>samlp</title><h1>samlp</h1><form method="post" action="${escape(request.url)}">` +
        '<input name="login"><input name="password" type="password"><button type="submit">Go on</button></form>',
    );
  }
  const failed = (error) => response.writeHead(400, { 'content-type': 'text/html' }).end(`<h1>Refused</h1>${escape(`${error}`)}`);
  // The request came with the address of the form. Its assertion consumer service is where the response goes.
  request.method = 'GET';
  samlp.parseRequest(request, {}, (error, asked) => {
    if (error) return failed(error);
    const acs = asked.assertionConsumerServiceURL;
    samlp.auth({
      issuer: `${issuer}/metadata`,
      cert,
      key,
      profileMapper: mapper,
      destination: acs,
      recipient: acs,
      lifetimeInSeconds: 300,
      signResponse: true,
      getUserFromRequest: () => ({ name, attributes: users.get(name) ?? {} }),
      getPostURL: (_audience, _request, _from, done) => done(null, acs),
    })(request, response, failed);
  });
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
