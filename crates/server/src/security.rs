//! Keys, tokens, passwords and secrets, as the handlers use them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use reeve_api::realm::ISSUER_PATH;
use reeve_identity::token::{CLUSTER_SECONDS, LINK_SECONDS, REST_SECONDS};
use reeve_identity::{
    Audience, Binding, Claims, LoginAttempt, MasterKey, PasswordError, PasswordHash, Passwords, Random,
    RefreshToken, RefreshTokens, Sealer, SecretHash, SecretHasher, SubjectKind, Verifier as TokenVerifier,
    effective_posix, generate_client_secret, generate_password,
};
use reeve_store::{CredentialHash, CredentialNumber, LinkSecret, SessionFacts, SubjectId, UserFacts};
use reeve_types::{ClusterId, PosixIdentity, Secret, ServiceAccountId, SessionId, Timestamp, UserId};
use uuid::Uuid;

use crate::credential_keys::CredentialSealer;
use crate::directory::Directory;
use crate::error::ApiError;
use crate::keys::Keys;

/// The one account of an installation, as sealed values name it.
const ACCOUNT: &str = "1";
/// Looks like the hash of a secret, and is compared with where there is none.
const NOBODYS: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What a good token for REST says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestToken {
    /// Whose it is.
    pub subject: SubjectId,
    /// Of which session.
    pub session: SessionId,
    /// When it was given.
    pub given: Timestamp,
}

/// Everything that knows a key.
#[derive(Debug)]
pub struct Security {
    /// Where randomness comes from.
    pub random: Random,
    /// What signs and verifies tokens.
    pub keys: Keys,
    issuer: String,
    rest: TokenVerifier,
    link: TokenVerifier,
    passwords: Passwords,
    secrets: SecretHasher,
    refresh_tokens: RefreshTokens,
    sealer: Sealer,
    /// What credentials are sealed with.
    pub credentials: CredentialSealer,
}

impl Security {
    /// With these keys, for this public address; credentials are sealed with the key of the master key. Costs one password hash.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub fn new(
        master: &MasterKey,
        keys: Keys,
        public_url: &str,
        random: Random,
    ) -> Result<Self, PasswordError> {
        let issuer = format!("{public_url}{ISSUER_PATH}");
        Ok(Self {
            rest: TokenVerifier::new(&issuer, Audience::Rest),
            link: TokenVerifier::new(&issuer, Audience::Link),
            passwords: Passwords::new(random.clone())?,
            secrets: master.secret_hasher(),
            refresh_tokens: master.refresh_tokens(),
            sealer: master.sealer(),
            credentials: CredentialSealer::derived(master),
            random,
            keys,
            issuer,
        })
    }

    /// With this ring for credentials.
    #[must_use]
    pub fn sealing_with(self, credentials: CredentialSealer) -> Self {
        Self { credentials, ..self }
    }

    /// A fresh id.
    ///
    /// # Errors
    /// [`ApiError::Internal`] without randomness.
    pub fn uuid(&self) -> Result<Uuid, ApiError> {
        self.random.uuid().map_err(ApiError::internal)
    }

    /// The public keys.
    pub fn jwks(&self) -> serde_json::Value {
        serde_json::json!(self.keys.ring().jwks())
    }

    /// Text sealed for its kind and row: nothing else opens it, and no other installation.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub fn sealed(&self, kind: &str, row: &str, text: &str) -> Result<String, ApiError> {
        let binding = Binding {
            account: ACCOUNT,
            kind,
            row,
        };
        let sealed = self
            .sealer
            .seal(binding, text.as_bytes())
            .map_err(ApiError::internal)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Sealed text, when it is of this kind and row.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub fn unsealed(&self, kind: &str, row: &str, sealed: &str) -> Result<Secret, ApiError> {
        let binding = Binding {
            account: ACCOUNT,
            kind,
            row,
        };
        let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(ApiError::internal)?;
        let plain = self.sealer.open(binding, &sealed).map_err(ApiError::internal)?;
        Ok(Secret::new(
            std::str::from_utf8(&plain).map_err(ApiError::internal)?,
        ))
    }

    fn sign(&self, claims: &Claims) -> Result<Secret, ApiError> {
        self.keys
            .ring()
            .current()
            .sign(claims)
            .map_err(ApiError::internal)
    }

    /// A token of a session for REST, and its life in seconds: never longer than the session's.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub fn rest_token(
        &self,
        session: &SessionFacts,
        directory: &Directory,
        now: Timestamp,
    ) -> Result<(Secret, i64), ApiError> {
        let left = session.until.as_seconds() - now.as_seconds();
        self.rest_token_of(session, directory, now, REST_SECONDS.min(left))
    }

    /// A token of a session for REST that lives so many seconds: longer than the session says now, where that is prolonged.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub fn rest_token_of(
        &self,
        session: &SessionFacts,
        directory: &Directory,
        now: Timestamp,
        seconds: i64,
    ) -> Result<(Secret, i64), ApiError> {
        let (kind, id) = match &session.subject {
            SubjectId::User(id) => (SubjectKind::User, id.as_uuid()),
            SubjectId::ServiceAccount(id) => (SubjectKind::ServiceAccount, id.as_uuid()),
        };
        let name = match session.subject {
            SubjectId::User(id) => directory.user(id).map(|user| user.email.to_string()),
            SubjectId::ServiceAccount(id) => directory.service_account(id).map(|it| it.name.to_string()),
        };
        let name = name.unwrap_or_default();
        let subject = (kind, id);
        let jti = self.uuid()?;
        let claims = Claims::new(&self.issuer, Audience::Rest, subject, &name, now, seconds, jti)
            .in_session(session.id);
        let claims = match session.subject {
            SubjectId::User(id) => match directory.user(id) {
                Some(user) => {
                    let posix = effective_posix(user.posix.as_ref(), session.posix.as_ref());
                    claims.person(&user.email, &[], posix.map(|(posix, _)| posix))
                }
                None => claims,
            },
            SubjectId::ServiceAccount(_) => claims.named(&name),
        };
        Ok((self.sign(&claims)?, seconds))
    }

    /// A token for one cluster's API server, with these groups as they are called there, and what it says.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub fn kubernetes_token(
        &self,
        cluster: ClusterId,
        user: &UserFacts,
        groups: &[String],
        posix: Option<&PosixIdentity>,
        now: Timestamp,
    ) -> Result<(Secret, Claims), ApiError> {
        let subject = (SubjectKind::User, user.id.as_uuid());
        let audience = Audience::Cluster(cluster);
        let claims = Claims::new(
            &self.issuer,
            audience,
            subject,
            user.email.as_str(),
            now,
            CLUSTER_SECONDS,
            self.uuid()?,
        );
        let claims = claims.person(&user.email, groups, posix);
        Ok((self.sign(&claims)?, claims))
    }

    /// A token for the link, earned by the secret of this number and good for [`LINK_SECONDS`], and what it says.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub fn link_token(
        &self,
        cluster: ClusterId,
        credential: CredentialNumber,
        now: Timestamp,
    ) -> Result<(Secret, Claims), ApiError> {
        let subject = (SubjectKind::Cluster, cluster.as_uuid());
        let claims = Claims::new(
            &self.issuer,
            Audience::Link,
            subject,
            "reeve-operator",
            now,
            LINK_SECONDS,
            self.uuid()?,
        )
        .by_credential(credential.0);
        Ok((self.sign(&claims)?, claims))
    }

    /// Whose token for REST this is, and of which session.
    ///
    /// # Errors
    /// [`ApiError::Token`].
    pub fn verify_rest(&self, token: &str, now: Timestamp) -> Result<RestToken, ApiError> {
        let claims = self
            .rest
            .verify(&self.keys.ring(), token, now)
            .map_err(ApiError::Token)?;
        let subject = match claims.subject_type {
            SubjectKind::User => claims.sub.parse::<UserId>().ok().map(SubjectId::User),
            SubjectKind::ServiceAccount => claims
                .sub
                .parse::<ServiceAccountId>()
                .ok()
                .map(SubjectId::ServiceAccount),
            SubjectKind::Cluster => None,
        };
        let subject = subject.ok_or(ApiError::Unauthenticated(
            "the token's subject is none of this interface",
        ))?;
        // Older versions gave none.
        let session = claims.sid.ok_or(ApiError::Unauthenticated(
            "the token names no session: get a new one in the way you got it",
        ))?;
        Ok(RestToken {
            subject,
            session,
            given: Timestamp::from_millis(claims.iat.saturating_mul(1000)),
        })
    }

    /// Whose token for the link this is, the number of the secret that earned it, and when it ends.
    ///
    /// # Errors
    /// [`ApiError::Token`].
    pub fn verify_link(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<(ClusterId, CredentialNumber, Timestamp), ApiError> {
        let claims = self
            .link
            .verify(&self.keys.ring(), token, now)
            .map_err(ApiError::Token)?;
        let number = claims
            .credential
            .map(CredentialNumber)
            .ok_or(ApiError::Unauthenticated(
                "the token names no secret that earned it: get another",
            ))?;
        match (claims.subject_type, claims.sub.parse::<ClusterId>()) {
            (SubjectKind::Cluster, Ok(id)) => {
                let ends = Timestamp::from_millis(claims.exp.saturating_mul(1000));
                Ok((id, number, ends))
            }
            _ => Err(ApiError::Unauthenticated("the token's subject is no cluster")),
        }
    }

    /// A new secret, and what checks it.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub fn new_secret(&self) -> Result<(Secret, CredentialHash), ApiError> {
        let secret = generate_client_secret(&self.random).map_err(ApiError::internal)?;
        let verifier = self.secret_verifier(&secret);
        Ok((secret, verifier))
    }

    /// What checks a secret that was drawn elsewhere: the same for the same secret.
    pub fn secret_verifier(&self, secret: &Secret) -> CredentialHash {
        CredentialHash::new(STANDARD_NO_PAD.encode(self.secrets.hash(secret).as_bytes()))
    }

    /// A new link secret for a cluster, and what is kept of it.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub fn new_link_secret(&self, cluster: ClusterId) -> Result<(Secret, LinkSecret), ApiError> {
        let (secret, credential) = self.new_secret()?;
        let row = cluster.to_string();
        let sealed = self.sealer.seal(link_secret(&row), secret.expose().as_bytes());
        let sealed = STANDARD_NO_PAD.encode(sealed.map_err(ApiError::internal)?);
        let kept = LinkSecret {
            credential,
            sealed: Some(sealed),
        };
        Ok((secret, kept))
    }

    /// What is kept of a link secret that nobody knows.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub fn nobodys_link_secret(&self) -> Result<LinkSecret, ApiError> {
        self.new_secret().map(|(_, credential)| credential.into())
    }

    /// The link secret of a cluster, from what is kept of it; `None` when it is not kept, or earns no token: one that was put
    /// back with a backup, or withdrawn.
    ///
    /// # Errors
    /// [`ApiError::Internal`] for one that was sealed with another key or for another cluster.
    pub fn open_link_secret(
        &self,
        cluster: ClusterId,
        kept: &LinkSecret,
    ) -> Result<Option<Secret>, ApiError> {
        let Some(sealed) = &kept.sealed else {
            return Ok(None);
        };
        let row = cluster.to_string();
        let sealed = STANDARD_NO_PAD.decode(sealed).map_err(ApiError::internal)?;
        let plain = self
            .sealer
            .open(link_secret(&row), &sealed)
            .map_err(ApiError::internal)?;
        let secret = Secret::new(String::from_utf8_lossy(&plain));
        Ok(self
            .check_secret(&secret, Some(&kept.credential))
            .then_some(secret))
    }

    /// Is this the secret? The same work without anything to compare with.
    pub fn check_secret(&self, secret: &Secret, kept: Option<&CredentialHash>) -> bool {
        let text = kept.map_or(NOBODYS, CredentialHash::as_str);
        let hash = STANDARD_NO_PAD.decode(text).ok().map(SecretHash::from_bytes);
        let equal = self.secrets.verify(secret, hash.as_ref());
        equal && kept.is_some_and(|kept| !kept.is_suspended())
    }

    /// The first refresh token of a session.
    ///
    /// # Errors
    /// [`ApiError::Internal`] without randomness.
    pub fn first_refresh_token(&self, session: SessionId) -> Result<RefreshToken, ApiError> {
        self.refresh_tokens
            .first(&self.random, session)
            .map_err(ApiError::internal)
    }

    /// What follows a refresh token: always the same.
    pub fn refresh_token_after(&self, token: &RefreshToken) -> RefreshToken {
        self.refresh_tokens.successor(token)
    }

    /// What is kept of a refresh token.
    pub fn refresh_token_hash(&self, token: &RefreshToken) -> CredentialHash {
        CredentialHash::new(STANDARD_NO_PAD.encode(self.refresh_tokens.hash(token).as_bytes()))
    }

    /// A refresh token that was given here, be it good still or not.
    pub fn read_refresh_token(&self, shown: &Secret) -> Option<RefreshToken> {
        self.refresh_tokens.read(shown)
    }

    /// A new password, and what checks it.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] when too many hashes wait.
    pub async fn new_password(&self) -> Result<(Secret, CredentialHash), ApiError> {
        let password = generate_password(&self.random).map_err(ApiError::internal)?;
        let verifier = self.password_verifier(&password).await?;
        Ok((password, verifier))
    }

    /// What checks a given password.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] when too many hashes wait.
    pub async fn password_verifier(&self, password: &Secret) -> Result<CredentialHash, ApiError> {
        let hash = self.passwords.hash(password).await.map_err(password_error)?;
        Ok(CredentialHash::new(hash.as_text()))
    }

    /// Is this the password? The same work without anything to compare with.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] when too many wait.
    pub async fn check_password(
        &self,
        asking: &LoginAttempt<'_>,
        password: &Secret,
        kept: Option<&CredentialHash>,
    ) -> Result<bool, ApiError> {
        let kept = kept
            .filter(|kept| !kept.is_suspended())
            .map(|kept| PasswordHash::from_text(kept.as_str()));
        self.passwords
            .verify(asking, password, kept.as_ref())
            .await
            .map_err(password_error)
    }
}

/// Where a cluster's link secret is sealed for.
const fn link_secret(cluster: &str) -> Binding<'_> {
    Binding {
        account: "1",
        kind: "clusters.sealed_secret",
        row: cluster,
    }
}

fn password_error(error: PasswordError) -> ApiError {
    match error {
        PasswordError::Busy => ApiError::Unavailable("too many sign-ins at once: try again in a moment"),
        other => ApiError::internal(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_its_session_and_one_that_says_none_is_refused() {
        let master = MasterKey::from_bytes(&[7; 32]).unwrap();
        let keys = Keys::for_tests(&master);
        let security = Security::new(&master, keys, "https://reeve.example", Random::seeded(1)).unwrap();
        let now = Timestamp::from_millis(0);
        let session = |seconds| SessionFacts {
            id: SessionId::from_uuid(Uuid::max()),
            subject: SubjectId::User(UserId::from_uuid(Uuid::nil())),
            groups: Vec::new(),
            posix: None,
            until: now.plus_seconds(seconds),
            access_key: None,
            by_password: true,
        };
        let give = |seconds| {
            security
                .rest_token(&session(seconds), &Directory::default(), now)
                .unwrap()
        };
        let (token, seconds) = give(REST_SECONDS + 1);
        assert_eq!(seconds, REST_SECONDS);
        let told = security.verify_rest(token.expose(), now).unwrap();
        assert_eq!((told.subject, told.session), (session(1).subject, session(1).id));
        assert_eq!(give(60).1, 60, "no token outlives its session");
        let subject = (SubjectKind::User, &Uuid::nil());
        let (issuer, audience) = (&security.issuer, Audience::Rest);
        let older = Claims::new(issuer, audience, subject, "alice", now, REST_SECONDS, Uuid::max());
        let older = security.sign(&older).unwrap();
        let error = security.verify_rest(older.expose(), now).unwrap_err();
        assert!(error.to_string().contains("get a new one"), "{error}");
    }
}
