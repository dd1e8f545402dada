//! Refresh tokens (RFC 6749, section 6; RFC 9700, section 4.14.2): what a client shows to get another access token of its session.
//!
//! A token is `rt.SESSION.SECRET.SEAL`. The seal is a keyed hash of the rest, so that a token that was given once is told from one
//! that somebody made up, however long ago it was replaced: nothing but the hash of the one that is good now has to be kept. What comes
//! after a token is a keyed hash of it: shown again because an answer was lost, it gives the same successor, and never a second one.

use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reeve_types::{Secret, SessionId};
use uuid::Uuid;

use crate::client_secret::SecretHash;
use crate::random::{NoRandomness, Random};

const KIND: &str = "rt";

/// A token that was given by this installation. Whether it is still good, its session knows.
#[derive(Clone)]
pub struct RefreshToken {
    session: SessionId,
    text: Secret,
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefreshToken")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

impl RefreshToken {
    /// Which session it is of.
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// What the client is given.
    pub const fn text(&self) -> &Secret {
        &self.text
    }
}

/// Makes and recognizes them, with one key.
#[derive(Clone, Debug)]
pub struct RefreshTokens(hmac::Key);

impl RefreshTokens {
    pub(crate) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// Each use of the key says what it is for.
    fn keyed(&self, purpose: &str, text: &str) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(text.as_bytes());
        context.sign()
    }

    fn sealed(&self, session: SessionId, secret: &[u8]) -> RefreshToken {
        let start = format!(
            "{KIND}.{}.{}",
            session.as_uuid().simple(),
            URL_SAFE_NO_PAD.encode(secret)
        );
        let seal = URL_SAFE_NO_PAD.encode(self.keyed("seal", &start).as_ref());
        RefreshToken {
            session,
            text: Secret::new(format!("{start}.{seal}")),
        }
    }

    /// The first of a session: 256 random bits.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn first(&self, random: &Random, session: SessionId) -> Result<RefreshToken, NoRandomness> {
        Ok(self.sealed(session, &random.bytes::<32>()?))
    }

    /// What is given for a token: the same for the same one.
    pub fn successor(&self, token: &RefreshToken) -> RefreshToken {
        let secret = self.keyed("successor", token.text.expose());
        self.sealed(token.session, secret.as_ref())
    }

    /// What a store keeps of a token.
    pub fn hash(&self, token: &RefreshToken) -> SecretHash {
        SecretHash::from_bytes(self.keyed("hash", token.text.expose()).as_ref())
    }

    /// Text that somebody shows, when it is a token that was given by this installation.
    pub fn read(&self, shown: &Secret) -> Option<RefreshToken> {
        let (start, seal) = shown.expose().rsplit_once('.')?;
        let seal = URL_SAFE_NO_PAD.decode(seal).ok()?;
        constant_time::verify_slices_are_equal(self.keyed("seal", start).as_ref(), &seal).ok()?;
        let mut parts = start.split('.');
        let (Some(KIND), Some(session), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        Some(RefreshToken {
            session: SessionId::from_uuid(Uuid::try_parse(session).ok()?),
            text: shown.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::master::MasterKey;

    fn tokens(key: u8) -> RefreshTokens {
        MasterKey::from_bytes(&[key; 32]).unwrap().refresh_tokens()
    }

    fn session(last: u8) -> SessionId {
        SessionId::from_uuid(Uuid::from_bytes([last; 16]))
    }

    #[test]
    fn a_token_is_known_by_whoever_gave_it_and_no_changed_one_is() {
        let (tokens, random) = (tokens(1), Random::seeded(3));
        let first = tokens.first(&random, session(1)).unwrap();
        let text = first.text().expose();
        assert!(text.len() < 200 && text.is_ascii(), "{}", text.len());
        assert_eq!(tokens.read(first.text()).unwrap().session(), session(1));
        assert!(
            self::tokens(2).read(first.text()).is_none(),
            "another installation's"
        );
        // Every byte counts, also the bits at the end of base64 that say nothing.
        for at in 0..text.len() {
            for other in [b'A', b'B', b'0', b'.', b'_'] {
                let mut bytes = text.as_bytes().to_vec();
                if bytes[at] != other {
                    bytes[at] = other;
                    let changed = Secret::new(String::from_utf8(bytes).unwrap());
                    assert!(tokens.read(&changed).is_none(), "{at}");
                }
            }
            assert!(tokens.read(&Secret::new(&text[..at])).is_none(), "{at}");
        }
        for none in ["", ".", "rt...", "rt.a.b.c", "not a token"] {
            assert!(tokens.read(&Secret::new(none)).is_none(), "{none}");
        }
        assert!(!format!("{first:?}").contains(text));
    }

    #[test]
    fn a_token_has_one_successor_which_is_of_the_same_session() {
        let (tokens, random) = (tokens(1), Random::seeded(3));
        let first = tokens.first(&random, session(1)).unwrap();
        let next = tokens.successor(&first);
        assert_eq!(tokens.successor(&first).text().expose(), next.text().expose());
        assert_eq!(tokens.read(next.text()).unwrap().session(), session(1));
        let after = tokens.successor(&next);
        let all = [&first, &next, &after, &tokens.first(&random, session(1)).unwrap()]
            .map(|token| tokens.hash(token).as_bytes().to_vec());
        for (at, one) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(one), "{at}");
        }
        assert_eq!(
            tokens.hash(&tokens.read(first.text()).unwrap()).as_bytes(),
            all[0]
        );
    }
}
