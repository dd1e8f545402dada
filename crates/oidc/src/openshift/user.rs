//! Whose a token is: the User object that the API server gives for it.

use serde_json::Value;

use crate::json::{self, Claims};
use crate::mapper::{Mapped, Mapper, MapperError};

/// The longest name or UID, in characters.
const MAX_TEXT: usize = 255;
/// The temporary administrator of a new cluster. There is no User object behind it.
const KUBE_ADMIN: &str = "kube:admin";

/// Why somebody of a cluster cannot sign in. Each text says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// No JSON object, or one that reads in two ways.
    #[error("the user object is no JSON object in which each member comes once")]
    NotJson,
    /// Something else.
    #[error(
        "what the API server gives for the token is no `User` of `user.openshift.io/v1`: correct the address of the API server"
    )]
    Kind,
    /// No name, or none that can be one.
    #[error("the user object has no `metadata.name`, or one that is too long or holds control characters")]
    Name,
    /// The temporary administrator.
    #[error(
        "`kube:admin` is the temporary administrator of the cluster and nobody's account: sign in there as a user of an identity provider of the cluster, or here as a local user"
    )]
    KubeAdmin,
    /// A program, or the cluster itself.
    #[error(
        "the name of the user has a colon, as those of the cluster's own accounts have (`system:…`): sign in there as a user of an identity provider of the cluster"
    )]
    Colon,
    /// Nothing that stays when the name is somebody else's.
    #[error(
        "the user object has no `metadata.uid`, so that nothing says who it is when the name is given again: sign in there as a user that the cluster keeps"
    )]
    Uid,
}

/// A user of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    uid: String,
    claims: Claims,
}

impl User {
    /// Reads the object.
    ///
    /// # Errors
    /// [`UserError`].
    pub fn read(bytes: &[u8]) -> Result<Self, UserError> {
        let claims = json::object(bytes).map_err(|_| UserError::NotJson)?;
        let is = |name: &str, value: &str| claims.get(name).and_then(Value::as_str) == Some(value);
        if !is("kind", "User") || !is("apiVersion", "user.openshift.io/v1") {
            return Err(UserError::Kind);
        }
        let metadata = claims.get("metadata").and_then(Value::as_object);
        let text = |name: &str| {
            let text = metadata?.get(name)?.as_str()?;
            let good = (1..=MAX_TEXT).contains(&text.chars().count()) && !text.chars().any(char::is_control);
            good.then_some(text)
        };
        let name = text("name").ok_or(UserError::Name)?;
        if name.contains(':') {
            return Err(match name {
                KUBE_ADMIN => UserError::KubeAdmin,
                _ => UserError::Colon,
            });
        }
        let uid = text("uid").ok_or(UserError::Uid)?.to_owned();
        Ok(Self { uid, claims })
    }

    /// Who it is in the cluster, whatever else changes.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The object.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// What it comes to. The UID of the object itself, which the usual mapper names for the uid in containers, is no number: it counts as
    /// if none were sent.
    ///
    /// # Errors
    /// [`MapperError`].
    pub fn mapped(&self, mapper: &Mapper) -> Result<Mapped, MapperError> {
        let mut claims = self.claims.clone();
        if is_uuid(&self.uid)
            && let Some(metadata) = claims.get_mut("metadata").and_then(Value::as_object_mut)
        {
            metadata.remove("uid");
        }
        mapper.map(&claims, None)
    }
}

/// Which member is what where nothing else is said (control-plane 1.3).
pub fn usual_mapper() -> Mapper {
    Mapper {
        email: "metadata.name".to_owned(),
        groups: "groups".to_owned(),
        uid: "metadata.uid".to_owned(),
        gid: "metadata.gid".to_owned(),
        supplementary_groups: "supplementarygroups".to_owned(),
    }
}

/// As Kubernetes makes UIDs of objects.
fn is_uuid(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && parts
            .iter()
            .all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const UID: &str = "7b0c9a52-3f0e-4a1f-9d27-0f6f3c1f4a11";

    fn object() -> Value {
        json!({
            "kind": "User", "apiVersion": "user.openshift.io/v1",
            "metadata": {"name": "alice@example.com", "uid": UID, "annotations": {"example.com/uid": "2001", "example.com/gid": "2002"}},
            "fullName": "Alice", "identities": ["corp:alice"], "groups": ["ml", "system:cluster-admins"],
        })
    }

    fn read(object: &Value) -> Result<User, UserError> {
        User::read(object.to_string().as_bytes())
    }

    /// The planted fault turned round: with the names of annotations the same object has numbers.
    #[test]
    fn the_uid_of_the_object_says_who_it_is_and_is_no_number() {
        let user = read(&object()).unwrap();
        assert_eq!(user.uid(), UID);
        let mapped = user.mapped(&usual_mapper()).unwrap();
        assert_eq!(mapped.email.as_str(), "alice@example.com");
        assert_eq!((mapped.groups.len(), mapped.reserved_groups), (1, 1));
        assert_eq!(mapped.posix, None);
        let annotated = Mapper {
            uid: "metadata.annotations.example.com/uid".to_owned(),
            gid: "metadata.annotations.example.com/gid".to_owned(),
            ..usual_mapper()
        };
        let posix = user.mapped(&annotated).unwrap().posix.unwrap();
        assert_eq!((posix.uid().number(), posix.gid().number()), (2001, 2002));
        // Something that is neither is refused as everywhere.
        let mut strange = object();
        strange["metadata"]["uid"] = json!("2001x");
        let strange = read(&strange).unwrap().mapped(&usual_mapper());
        assert!(matches!(strange, Err(MapperError::Number(_))), "{strange:?}");
    }

    #[test]
    fn whoever_is_no_user_that_the_cluster_keeps_is_refused() {
        for (path, value, wrong) in [
            ("/kind", json!("UserList"), UserError::Kind),
            ("/kind", json!(null), UserError::Kind),
            ("/apiVersion", json!("user.openshift.io/v2"), UserError::Kind),
            ("/metadata", json!(["alice"]), UserError::Name),
            ("/metadata/name", json!(""), UserError::Name),
            ("/metadata/name", json!(7), UserError::Name),
            ("/metadata/name", json!("a\nb"), UserError::Name),
            ("/metadata/name", json!("a".repeat(256)), UserError::Name),
            ("/metadata/name", json!("kube:admin"), UserError::KubeAdmin),
            ("/metadata/name", json!("system:admin"), UserError::Colon),
            (
                "/metadata/name",
                json!("corp:alice@example.com"),
                UserError::Colon,
            ),
            ("/metadata/uid", json!(""), UserError::Uid),
            ("/metadata/uid", json!(null), UserError::Uid),
            ("/metadata/uid", json!(2001), UserError::Uid),
        ] {
            let mut changed = object();
            *changed.pointer_mut(path).unwrap() = value.clone();
            assert_eq!(read(&changed), Err(wrong), "{path}: {value}");
        }
        assert_eq!(User::read(b"[]"), Err(UserError::NotJson));
        let twice = object().to_string().replacen('{', "{\"kind\":\"User\",", 1);
        assert_eq!(User::read(twice.as_bytes()), Err(UserError::NotJson));
    }
}
