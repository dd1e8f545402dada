//! The targets.

mod claims;
mod cookie;
mod discovery;
mod id_token;
mod key_set;
mod logout_token;
mod oauth_metadata;
mod openshift_user;
mod own_token;
mod passkey_made;
mod passkey_shown;
mod redirect;
mod saml_assertion;
mod saml_metadata;
mod saml_response;

use std::fmt;

use crate::corpus;

/// What a target came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The input was taken, and the promise held.
    Accepted,
    /// The input was refused.
    Refused,
}

/// How a promise was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(pub String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

/// Gives an input to a receiver, and judges what that makes of it.
pub type Check = fn(&[u8]) -> Result<Outcome, Broken>;

/// One reader of input from strangers.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// What holds whatever is sent, beside that nothing panics.
    pub promise: &'static str,
    /// Words that mean something in such input.
    pub words: &'static [&'static str],
    /// What honest senders and attackers send.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Inputs that were found, by `make fuzz` or by hand.
    pub found: &'static str,
    /// The product.
    pub check: Check,
    /// A receiver that lacks the one guard that the promise is about.
    pub naive: Check,
}

impl Target {
    /// The seeds and the stored inputs.
    ///
    /// # Errors
    /// A stored line that is no input.
    pub fn inputs(&self) -> Result<Vec<Vec<u8>>, String> {
        let mut all = (self.seeds)();
        all.extend(corpus::read(self.found)?);
        Ok(all)
    }
}

/// All of them.
pub const TARGETS: [Target; 15] = [
    saml_response::TARGET,
    saml_assertion::TARGET,
    saml_metadata::TARGET,
    id_token::TARGET,
    logout_token::TARGET,
    key_set::TARGET,
    discovery::TARGET,
    redirect::TARGET,
    claims::TARGET,
    oauth_metadata::TARGET,
    openshift_user::TARGET,
    own_token::TARGET,
    cookie::TARGET,
    passkey_made::TARGET,
    passkey_shown::TARGET,
];

/// Refused, or accepted and held to a promise.
fn judged<T>(received: Option<T>, promise: impl FnOnce(T) -> Result<(), String>) -> Result<Outcome, Broken> {
    match received {
        None => Ok(Outcome::Refused),
        Some(it) => promise(it).map(|()| Outcome::Accepted).map_err(Broken),
    }
}

/// One clause of a promise.
fn holds(clause: bool, what: &str) -> Result<(), String> {
    if clause { Ok(()) } else { Err(what.to_owned()) }
}

/// `strings` as inputs.
fn texts<S: AsRef<[u8]>>(strings: &[S]) -> Vec<Vec<u8>> {
    strings.iter().map(|it| it.as_ref().to_vec()).collect()
}
