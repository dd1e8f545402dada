//! What travels through browsers and command lines sealed: only this installation can make or read it, every replica can.

use reeve_store::SessionFacts;
use reeve_types::{IdpAlias, SessionId, SubjectId, Timestamp};
use reeve_webauthn::Challenge;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::ApiError;
use crate::providers::random_text;

/// How long a sign-in may take, in seconds.
pub(super) const ATTEMPT_SECONDS: i64 = 600;
/// How long a code may be redeemed, in seconds.
pub(super) const CODE_SECONDS: i64 = 60;
/// How long a person may take to type a code into a command line, in seconds.
pub(super) const SHOWN_CODE_SECONDS: i64 = 300;

/// Something that is sealed. Each kind is sealed for its own name, so that none passes for another.
pub(super) trait Ticket: Serialize + DeserializeOwned {
    const KIND: &'static str;

    /// When it ends.
    fn until(&self) -> Timestamp;
}

/// One that is in a page of a sign-in, and good in its browser alone.
pub(super) trait OfAttempt: Ticket {
    /// Of which sign-in ([`Attempt::id`]).
    fn attempt(&self) -> &str;
}

/// A command line that asks for a code.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ClientRequest {
    /// The client.
    pub(super) client: String,
    /// Where the code goes: an address of the person's own machine, or [`super::CODE`], where it is shown.
    pub(super) redirect_uri: String,
    /// Whether the code is shown and not sent.
    pub(super) shown: bool,
    /// Given back with the code.
    pub(super) state: Option<String>,
    /// What the verifier has to come to.
    pub(super) challenge: String,
    /// From where it was begun.
    pub(super) from: Option<String>,
    /// When.
    pub(super) at: Timestamp,
}

impl Ticket for ClientRequest {
    const KIND: &'static str = "sign_in.request";

    fn until(&self) -> Timestamp {
        self.at.plus_seconds(ATTEMPT_SECONDS)
    }
}

/// A sign-in that a browser began; in its cookie.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Attempt {
    /// Which; also in the page's forms and links.
    pub(super) id: String,
    /// For whom; for the browser itself without.
    pub(super) request: Option<ClientRequest>,
    /// Whether it is only looked what the provider says.
    #[serde(default)]
    pub(super) test: bool,
    /// Whether it is for a device, whose user code is asked for when the person is known.
    #[serde(default)]
    pub(super) device: bool,
    /// The provider that the person went to.
    pub(super) provider: Option<AtProvider>,
    /// The same, of SAML.
    #[serde(default)]
    pub(super) saml: Option<AtSaml>,
    /// When it ends.
    pub(super) until: Timestamp,
}

impl Attempt {
    /// One that begins now, for the browser itself.
    ///
    /// # Errors
    /// [`ApiError::Internal`] without randomness.
    pub(super) fn begun(app: &App, now: Timestamp) -> Result<Self, ApiError> {
        Ok(Self {
            id: random_text(&app.security.random)?,
            request: None,
            test: false,
            device: false,
            provider: None,
            saml: None,
            until: now.plus_seconds(ATTEMPT_SECONDS),
        })
    }
}

/// What a provider has to give back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AtProvider {
    pub(super) alias: IdpAlias,
    pub(super) state: String,
    /// Where there is an ID token.
    pub(super) nonce: Option<String>,
    pub(super) verifier: String,
}

/// What a provider of SAML has to answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AtSaml {
    pub(super) alias: IdpAlias,
    /// Comes back beside the response.
    pub(super) relay_state: String,
    /// The request's id, which the response names.
    pub(super) request: String,
    /// When the request was made.
    pub(super) sent: Timestamp,
}

impl Ticket for Attempt {
    const KIND: &'static str = "sign_in.attempt";

    fn until(&self) -> Timestamp {
        self.until
    }
}

/// A code: the session that was begun, and who may have its token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Code {
    pub(super) id: String,
    pub(super) subject: SubjectId,
    pub(super) session: SessionId,
    pub(super) client: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) until: Timestamp,
}

impl Ticket for Code {
    const KIND: &'static str = "sign_in.code";

    fn until(&self) -> Timestamp {
        self.until
    }
}

/// A code that is shown once the person has confirmed it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Unconfirmed {
    pub(super) attempt: String,
    pub(super) code: Code,
}

impl Ticket for Unconfirmed {
    const KIND: &'static str = "sign_in.unconfirmed";

    fn until(&self) -> Timestamp {
        self.code.until
    }
}

impl OfAttempt for Unconfirmed {
    fn attempt(&self) -> &str {
        &self.attempt
    }
}

/// Somebody who signed in, in the form of a page that comes before the sign-in is at its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) attempt: String,
    pub(super) subject: SubjectId,
    pub(super) session: SessionId,
    pub(super) until: Timestamp,
}

impl Person {
    /// Whoever this session is of, in this sign-in.
    pub(super) fn of(attempt: &Attempt, session: &SessionFacts) -> Self {
        Self {
            attempt: attempt.id.clone(),
            subject: session.subject,
            session: session.id,
            until: attempt.until,
        }
    }
}

/// A session that began with a temporary password, in the form in which another is chosen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ChoosesPassword(pub(super) Person);

impl Ticket for ChoosesPassword {
    const KIND: &'static str = "sign_in.chooses_password";

    fn until(&self) -> Timestamp {
        self.0.until
    }
}

impl OfAttempt for ChoosesPassword {
    fn attempt(&self) -> &str {
        &self.0.attempt
    }
}

/// What a passkey has to sign, in the page of a sign-in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ShowsPasskey {
    pub(super) attempt: String,
    pub(super) challenge: Challenge,
    pub(super) until: Timestamp,
}

impl Ticket for ShowsPasskey {
    const KIND: &'static str = "sign_in.shows_passkey";

    fn until(&self) -> Timestamp {
        self.until
    }
}

impl OfAttempt for ShowsPasskey {
    fn attempt(&self) -> &str {
        &self.attempt
    }
}

/// Somebody in the form in which the user code of a device is typed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TypesCode(pub(super) Person);

impl Ticket for TypesCode {
    const KIND: &'static str = "sign_in.types_code";

    fn until(&self) -> Timestamp {
        self.0.until
    }
}

impl OfAttempt for TypesCode {
    fn attempt(&self) -> &str {
        &self.0.attempt
    }
}

/// Somebody who is asked whether a device is to be signed in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DecidesDevice {
    pub(super) person: Person,
    /// The hash of its user code.
    pub(super) user_code: String,
    /// What the page said of it.
    pub(super) client: String,
    pub(super) address: Option<String>,
    pub(super) asked: Timestamp,
}

impl Ticket for DecidesDevice {
    const KIND: &'static str = "sign_in.decides_device";

    fn until(&self) -> Timestamp {
        self.person.until
    }
}

impl OfAttempt for DecidesDevice {
    fn attempt(&self) -> &str {
        &self.person.attempt
    }
}

impl App {
    /// Seals a ticket: text for addresses, cookies and forms.
    pub(super) fn ticket<T: Ticket>(&self, ticket: &T) -> Result<String, ApiError> {
        let text = serde_json::to_string(ticket).map_err(ApiError::internal)?;
        self.security.sealed(T::KIND, "", &text)
    }

    /// A ticket of ours whose time is not over.
    pub(super) fn opened<T: Ticket>(&self, text: &str, now: Timestamp) -> Option<T> {
        let text = self.security.unsealed(T::KIND, "", text).ok()?;
        let ticket: T = serde_json::from_str(text.expose()).ok()?;
        (now <= ticket.until()).then_some(ticket)
    }
}
