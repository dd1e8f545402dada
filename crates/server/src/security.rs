//! Keys, tokens, passwords and secrets, as the handlers use them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use reeve_api::realm::ISSUER_PATH;
use reeve_identity::token::{CLUSTER_SECONDS, LINK_SECONDS, REST_SECONDS};
use reeve_identity::{
    Asking, Audience, Claims, KeyRing, MasterKey, PasswordError, PasswordHash, Passwords, Random, SecretHash,
    SecretHasher, SubjectKind, Verifier as TokenVerifier, generate_client_secret, generate_password,
};
use reeve_store::{CredentialNumber, SessionNumber, SubjectId, UserFacts, Verifier};
use reeve_types::{ClusterId, Secret, ServiceAccountId, Timestamp, UserId};
use uuid::Uuid;

use crate::caller::Caller;
use crate::directory::Directory;
use crate::error::ApiError;

/// Looks like the hash of a secret, and is compared with where there is none.
const NOBODYS: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Everything that knows a key.
#[derive(Debug)]
pub struct Security {
    /// Where randomness comes from.
    pub random: Random,
    ring: KeyRing,
    issuer: String,
    rest: TokenVerifier,
    link: TokenVerifier,
    passwords: Passwords,
    secrets: SecretHasher,
}

impl Security {
    /// With these keys, for this public address. Costs one password hash.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub fn new(
        master: &MasterKey,
        ring: KeyRing,
        public_url: &str,
        random: Random,
    ) -> Result<Self, PasswordError> {
        let issuer = format!("{public_url}{ISSUER_PATH}");
        Ok(Self {
            rest: TokenVerifier::new(&issuer, Audience::Rest),
            link: TokenVerifier::new(&issuer, Audience::Link),
            passwords: Passwords::new(random.clone())?,
            secrets: master.secret_hasher(),
            random,
            ring,
            issuer,
        })
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
        serde_json::json!(self.ring.jwks())
    }

    fn sign(&self, claims: &Claims) -> Result<Secret, ApiError> {
        self.ring.current().sign(claims).map_err(ApiError::internal)
    }

    /// A token for REST, and its life in seconds; with `session` it ends.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub fn rest_token(
        &self,
        subject: SubjectId,
        session: SessionNumber,
        name: &str,
        directory: &Directory,
        now: Timestamp,
    ) -> Result<(Secret, i64), ApiError> {
        let kind = match &subject {
            SubjectId::User(id) => (SubjectKind::User, id.as_uuid()),
            SubjectId::ServiceAccount(id) => (SubjectKind::ServiceAccount, id.as_uuid()),
        };
        let claims = Claims::new(
            &self.issuer,
            Audience::Rest,
            kind,
            name,
            now,
            REST_SECONDS,
            self.uuid()?,
        )
        .in_session(session.0);
        let claims = match subject {
            SubjectId::User(id) => match directory.user(id) {
                Some(user) => claims.person(&user.email, &[], user.posix.as_ref()),
                None => claims,
            },
            SubjectId::ServiceAccount(_) => claims.named(name),
        };
        Ok((self.sign(&claims)?, REST_SECONDS))
    }

    /// A token for one cluster's API server, and what it says.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub fn kubernetes_token(
        &self,
        cluster: ClusterId,
        user: &UserFacts,
        caller: &Caller,
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
        let groups: Vec<_> = caller.principal.groups.iter().map(ToString::to_string).collect();
        let claims = claims.person(&user.email, &groups, user.posix.as_ref());
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
        .in_session(credential.0);
        Ok((self.sign(&claims)?, claims))
    }

    /// Whose token for REST this is, and of which session.
    ///
    /// # Errors
    /// [`ApiError::Token`].
    pub fn verify_rest(&self, token: &str, now: Timestamp) -> Result<(SubjectId, SessionNumber), ApiError> {
        let claims = self
            .rest
            .verify(&self.ring, token, now)
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
        let session = claims
            .session
            .map(SessionNumber)
            .ok_or(ApiError::Unauthenticated(
                "the token names no session: get a new one in the way you got it",
            ))?;
        Ok((subject, session))
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
            .verify(&self.ring, token, now)
            .map_err(ApiError::Token)?;
        let number = claims
            .session
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
    pub fn new_secret(&self) -> Result<(Secret, Verifier), ApiError> {
        let secret = generate_client_secret(&self.random).map_err(ApiError::internal)?;
        let verifier = Verifier::new(STANDARD_NO_PAD.encode(self.secrets.hash(&secret).as_bytes()));
        Ok((secret, verifier))
    }

    /// Is this the secret? The same work without anything to compare with.
    pub fn check_secret(&self, secret: &Secret, kept: Option<&Verifier>) -> bool {
        let text = kept.map_or(NOBODYS, Verifier::as_str);
        let hash = STANDARD_NO_PAD.decode(text).ok().map(SecretHash::from_bytes);
        let equal = self.secrets.verify(secret, hash.as_ref());
        equal && kept.is_some_and(|kept| !kept.is_suspended())
    }

    /// A new password, and what checks it.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] when too many hashes wait.
    pub async fn new_password(&self) -> Result<(Secret, Verifier), ApiError> {
        let password = generate_password(&self.random).map_err(ApiError::internal)?;
        let verifier = self.password_verifier(&password).await?;
        Ok((password, verifier))
    }

    /// What checks a given password.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] when too many hashes wait.
    pub async fn password_verifier(&self, password: &Secret) -> Result<Verifier, ApiError> {
        let hash = self.passwords.hash(password).await.map_err(password_error)?;
        Ok(Verifier::new(hash.as_text()))
    }

    /// Is this the password? The same work without anything to compare with.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] when too many wait.
    pub async fn check_password(
        &self,
        asking: &Asking<'_>,
        password: &Secret,
        kept: Option<&Verifier>,
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

fn password_error(error: PasswordError) -> ApiError {
    match error {
        PasswordError::Busy => ApiError::Unavailable("too many sign-ins at once: try again in a moment"),
        other => ApiError::internal(other),
    }
}

#[cfg(test)]
mod tests {
    use reeve_identity::SigningKey;

    use super::*;

    #[test]
    fn a_token_says_its_session_and_one_that_says_none_is_refused() {
        let key = || SigningKey::generate().unwrap();
        let master = MasterKey::from_bytes(&[7; 32]).unwrap();
        let ring = KeyRing::new(key(), key());
        let security = Security::new(&master, ring, "https://reeve.example", Random::seeded(1)).unwrap();
        let (id, now) = (
            SubjectId::User(UserId::from_uuid(Uuid::nil())),
            Timestamp::from_millis(0),
        );
        let (token, _) = security
            .rest_token(id, SessionNumber(3), "alice", &Directory::default(), now)
            .unwrap();
        let told = security.verify_rest(token.expose(), now).unwrap();
        assert_eq!(told, (id, SessionNumber(3)));
        let subject = (SubjectKind::User, &Uuid::nil());
        let (issuer, audience) = (&security.issuer, Audience::Rest);
        let older = Claims::new(issuer, audience, subject, "alice", now, REST_SECONDS, Uuid::max());
        let older = security.sign(&older).unwrap();
        let error = security.verify_rest(older.expose(), now).unwrap_err();
        assert!(error.to_string().contains("get a new one"), "{error}");
    }
}
