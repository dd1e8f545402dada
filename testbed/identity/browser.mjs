// A headless Chromium, for the scripts beside this one.
import { chromium } from 'playwright-core';

// Opens url, and prints as JSON what `walk(page)` brings, with what the browser complained of meanwhile.
export const visit = async (url, walk) => {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  });
  try {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: true });
    const page = await context.newPage();
    page.setDefaultTimeout(60000);
    const problems = [];
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(url);
    const shown = await walk(page);
    console.log(JSON.stringify({ ...shown, problems }));
  } finally {
    await browser.close();
  }
};
