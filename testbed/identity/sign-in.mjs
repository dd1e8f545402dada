// A person with a browser: `node sign-in.mjs URL PROVIDER LOGIN [EMAIL PASSWORD]`.
//
// Opens URL, chooses the provider, signs in there as LOGIN and consents, until a page of the control plane, or of a command line, says
// that it is done. With PROVIDER `-` she types EMAIL and PASSWORD into the form. Everything is done with the keyboard alone. Prints
// what is shown then as JSON.
import { visit } from './browser.mjs';

const [url, provider, login, email, password] = process.argv.slice(2);
await visit(url, async (page) => {
  const done = ['Your account', 'Signed in', 'Your code', 'Sign-in failed'];
  const press = async (locator) => {
    await locator.focus();
    await Promise.all([page.waitForLoadState('load'), page.keyboard.press('Enter')]);
  };
  const seen = [];
  for (let step = 0; step < 40; step += 1) {
    await page.waitForLoadState('load');
    const title = (await page.locator('h1').first().textContent({ timeout: 60000 })).trim();
    if (seen.at(-1) !== title) seen.push(title);
    if (done.includes(title)) break;
    if (await page.locator('input[name=login]').count()) {
      await page.locator('input[name=login]').fill(login);
      await page.locator('input[name=password]').fill('any');
      await press(page.locator('input[name=password]'));
    } else if (await page.locator('input[name=username]').count()) {
      if (provider === '-') {
        await page.getByLabel('Email').fill(email);
        await page.getByLabel('Password').fill(password);
        await press(page.getByLabel('Password'));
      } else {
        await press(page.getByRole('link', { name: `Sign in with ${provider}` }));
      }
    } else {
      await press(page.locator('button[type=submit]').first());
    }
    await page.waitForTimeout(100);
  }
  const text = async (id) => ((await page.locator(`#${id}`).count()) ? page.locator(`#${id}`).textContent() : null);
  const cookies = await page.context().cookies();
  return {
    seen,
    address: page.url(),
    text: await page.locator('body').innerText(),
    user: await text('user'),
    groups: await text('groups'),
    posix: await text('posix'),
    code: await text('code'),
    cookies: cookies.filter((it) => it.name.startsWith('__Host-')),
  };
});
