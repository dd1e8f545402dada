// A local user with a browser and an authenticator: `node passkeys.mjs URL EMAIL PASSWORD`.
//
// The authenticator is Chromium's own virtual one (CDP, domain WebAuthn): it keeps passkeys, and says of the person what it is told. Signs
// in at URL with the password, makes a passkey on the page of the account, signs in with it alone, fails with one whose person is not
// verified, takes it away, and fails then. Prints what was shown as JSON.
import { visit } from './browser.mjs';

const [url, email, password] = process.argv.slice(2);

await visit(url, async (page) => {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable', { enableUI: false });
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  const seen = [];
  const title = async (name) => {
    await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
    seen.push(name);
  };
  const byPassword = async () => {
    await page.goto(url);
    await page.getByLabel('Email').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByLabel('Password').press('Enter');
  };
  const byPasskey = async () => {
    await page.goto(url);
    const button = page.getByRole('button', { name: 'Sign in with a passkey' });
    await button.focus();
    await page.keyboard.press('Enter');
  };
  const passkeys = async () => {
    await page.getByRole('link', { name: 'Passkeys' }).click();
    await title('Passkeys');
  };
  await byPassword();
  await title('Your account');
  await passkeys();
  await page.getByLabel('A name by which you know it').fill('Virtual');
  await page.getByLabel('A name by which you know it').press('Enter');
  await title('Your recovery codes');
  const codes = await page.locator('#recovery-codes code').allTextContents();
  const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId });
  const kept = credentials.map(({ isResidentCredential, rpId, signCount }) => ({ isResidentCredential, rpId, signCount }));

  await page.context().clearCookies();
  await byPassword();
  await title('Sign in');
  const alone = await page.getByRole('alert').first().textContent();
  await byPasskey();
  await title('Your account');
  const user = await page.locator('#user').textContent();

  await page.context().clearCookies();
  await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
  await byPasskey();
  const problem = page.locator('form[data-passkey] [role="alert"]');
  await problem.waitFor();
  const unverified = await problem.textContent();
  await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });

  await byPasskey();
  await title('Your account');
  await passkeys();
  const list = await page.locator('#passkeys li').allTextContents();
  await page.getByRole('button', { name: 'Take away Virtual' }).click();
  await page.locator('#none').waitFor();
  await page.context().clearCookies();
  await byPasskey();
  await title('Sign in');
  const gone = await page.getByRole('alert').first().textContent();
  return { seen, codes, kept, alone, user, unverified, list, gone };
});
