// A real OpenID Connect provider on a free port of this machine, for tests. Prints its issuer as the first line. Ends with its
// standard input.
//
// Clients register themselves (OpenID Connect Dynamic Client Registration). `PUT /test/users/NAME` sets what it says of somebody;
// `DELETE` takes the person away. Everybody signs in with any password, as its development pages allow.
import http from 'node:http';
import { Provider } from 'oidc-provider';

const users = new Map();
const server = http.createServer((request, response) => answer(request, response));
let answer = (_request, response) => response.writeHead(503).end();
process.stdin.resume().on('end', () => process.exit(0));

server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'given_name', 'family_name'],
      groups: ['groups', 'uid', 'gid', 'supplementary_groups'],
    },
    scopes: ['openid', 'email', 'profile', 'groups', 'offline_access'],
    features: { devInteractions: { enabled: true }, registration: { enabled: true } },
    pkce: { required: () => true },
    issueRefreshToken: async (_context, client) => client.grantTypeAllowed('refresh_token'),
    ttl: { AccessToken: 3600, IdToken: 3600, RefreshToken: 86400, Session: 86400, Grant: 86400, Interaction: 3600 },
    findAccount: (_context, id) =>
      users.has(id) ? { accountId: id, claims: () => ({ sub: id, ...users.get(id) }) } : undefined,
  });
  const callback = provider.callback();
  answer = (request, response) => {
    const user = request.url.match(/^\/test\/users\/([a-z0-9-]+)$/);
    if (!user) return callback(request, response);
    if (request.method === 'DELETE') {
      users.delete(user[1]);
      return response.writeHead(204).end();
    }
    let body = '';
    request.on('data', (chunk) => (body += chunk)).on('end', () => {
      users.set(user[1], JSON.parse(body));
      response.writeHead(204).end();
    });
  };
  console.log(issuer);
});
