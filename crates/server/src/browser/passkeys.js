// Passkeys on the pages of Reeve. A form with `data-passkey` asks the browser for what `data-options` says, and is sent with the answer.
// Without this script, or without passkeys in the browser, such a form stays hidden, and everything else on the page works.
'use strict';

const bytesOf = (text) => {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
};

const textOf = (buffer) => {
  const plain = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join('');
  return btoa(plain).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
};

const asked = (form) => {
  const options = JSON.parse(form.dataset.options);
  options.challenge = bytesOf(options.challenge);
  if (options.user) options.user.id = bytesOf(options.user.id);
  for (const name of ['allowCredentials', 'excludeCredentials']) {
    for (const passkey of options[name] ?? []) passkey.id = bytesOf(passkey.id);
  }
  return { publicKey: options };
};

const answered = async (form) => {
  if (form.dataset.passkey === 'create') {
    const made = await navigator.credentials.create(asked(form));
    return { made, parts: ['clientDataJSON', 'attestationObject'] };
  }
  const made = await navigator.credentials.get(asked(form));
  return { made, parts: ['clientDataJSON', 'authenticatorData', 'signature', 'userHandle'] };
};

const wrong = (error) => {
  if (error.name === 'InvalidStateError') return 'This authenticator has a passkey for your account already.';
  if (error.name === 'NotAllowedError') return 'No passkey was used: it was not allowed, or it took too long. Try again.';
  return `The browser refuses: ${error.message}`;
};

// One field for each name: a browser that comes back to the page has those of before.
const set = (form, name, value) => {
  let field = form.querySelector(`input[name="${name}"]`);
  if (!field) {
    field = document.createElement('input');
    field.type = 'hidden';
    field.name = name;
    form.append(field);
  }
  field.value = value;
};

for (const form of document.querySelectorAll('form[data-passkey]')) {
  if (!window.PublicKeyCredential) break;
  const problem = form.querySelector('[role="alert"]');
  const button = form.querySelector('button');
  form.hidden = false;
  addEventListener('pageshow', () => {
    button.disabled = false;
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    problem.hidden = true;
    button.disabled = true;
    try {
      const { made, parts } = await answered(form);
      set(form, 'id', textOf(made.rawId));
      for (const part of parts) set(form, part, made.response[part] ? textOf(made.response[part]) : '');
      form.submit();
    } catch (error) {
      problem.textContent = wrong(error);
      problem.hidden = false;
      button.disabled = false;
    }
  });
}
