// A local user with a browser: `node authenticator.mjs URL EMAIL PASSWORD`.
//
// Signs in at URL, sets up an authenticator on the page of the account by the secret that is shown, and prints what was shown as JSON.
// Everything is done with the keyboard alone.
import { createHmac } from 'node:crypto';
import { visit } from './browser.mjs';

const [url, email, password] = process.argv.slice(2);

// RFC 6238 with SHA-1, six digits and thirty seconds.
const codeOf = (secret) => {
  let bits = '';
  for (const letter of secret.replaceAll(' ', '')) {
    bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0');
  }
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
  const digest = createHmac('sha1', key).update(step).digest();
  const number = digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff;
  return String(number % 1000000).padStart(6, '0');
};

await visit(url, async (page) => {
  const seen = [];
  const press = async (locator, title) => {
    await locator.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
    seen.push(title);
  };
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await press(page.getByLabel('Password'), 'Your account');
  await press(page.getByRole('link', { name: 'One-time codes' }), 'One-time codes');
  await press(page.getByRole('button', { name: 'Set up an authenticator' }), 'Set up an authenticator');
  const picture = page.getByRole('img');
  const drawn = await picture.boundingBox();
  const dark = await picture.locator('path').last().boundingBox();
  await page.getByLabel('Code that it shows now').fill(codeOf(await page.locator('#secret').textContent()));
  await press(page.getByLabel('Code that it shows now'), 'Your recovery codes');
  const codes = await page.locator('#recovery-codes code').allTextContents();
  return { seen, drawn, dark, codes };
});
