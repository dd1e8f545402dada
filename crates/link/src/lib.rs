//! What the control plane and a cluster's operator say to each other.
//!
//! The operator dials out, nothing dials in. Over HTTPS, all paths under [`PATH_PREFIX`]:
//!
//! 1. `POST token` with a [`TokenRequest`] (the cluster's id and its own secret) answers a [`TokenResponse`]: a short
//!    bearer token whose audience is the link alone. It is worth nothing to REST and to other clusters. To the right secret
//!    of a cluster that was deleted the answer is 410 with [`ClusterDeleted`]; to a wrong one it never is.
//! 2. `POST watch` with a [`Hello`] answers a stream of [`ServerMessage`], one JSON object a line, that stays open:
//!    first [`ServerMessage::Welcome`], then [`ServerMessage::Batch`]es as changes are committed, and a
//!    [`ServerMessage::Heartbeat`] every [`HEARTBEAT_SECONDS`].
//! 3. `POST status` with a [`StatusReport`] within its [`bounds`] carries news of the cluster back; 204. To one that is not
//!    the answer is 400, to more reports than a cluster may send 429 with `Retry-After` in seconds.
//!
//! **Promise.** Applying a batch is idempotent. A batch's deletions are applied before its upserts, so revocations come
//! first. An operator that has applied a batch whole may name the batch's revision and token in its next [`Hello::resume`]; it
//! is then sent only what changed later. Otherwise the stream begins with the complete state.
//!
//! **Parts.** No line is longer than [`LINE_BYTES`], so that neither side has to hold a whole state. A server ends a part
//! when its objects have about [`PART_BYTES`]; all parts but the last say [`Batch::more`], and only the last one, the end mark,
//! moves the position that an operator may resume from. The complete state (parts marked [`Batch::complete`]) comes rules
//! first, then credentials, then projects, then workloads. The part marked [`Batch::rules_end`] has named every rule: others are removed
//! then, before the rest arrives. Whatever else was named in no part is removed at the end mark, never before. Deletions
//! that are committed meanwhile come between the parts, in batches of their own. A complete state that was interrupted
//! starts anew, from its first part.
//!
//! **Tokens.** A revision alone does not say which state it is of: a database restored from a backup counts on from an
//! older revision, and the next changes are other ones. So each revision has a [`RevisionToken`], which is kept with it in the
//! database, for the last revisions of each cluster. A server takes a [`Resume`] only when the database has that revision with
//! that token: then everything the operator has was changed here too. To any other it answers with the complete state. Which
//! process of a server sent the batch, and which one is asked now, does not matter.

pub mod bounds;
pub mod credential;
pub mod desired;
mod job;
mod scope;
pub mod status;

use reeve_types::{ClusterId, Revision, RevisionToken, Secret};
use serde::{Deserialize, Serialize};

pub use desired::{
    AccessRule, Attempts, ContainerResources, Credential, CredentialValues, DesiredObject, ObjectKey,
    OwnMetadata, Placement, Project, ReadinessProbe, Scope, SecretVolume, Subject, SubjectKind, Workload,
    WorkloadIdentity,
};
pub use status::{
    ClusterSettings, Dependency, Issue, KubernetesEndpoint, ObjectStatus, StatusPhase, StatusReport,
};

/// The version both sides speak. A server refuses another with 400 and says which it speaks. It is raised for whatever the other side
/// would drop without a word: a kind of object, a field of which a workload would run without what it needs.
pub const PROTOCOL_VERSION: u32 = 6;
/// Every path of the link starts so.
pub const PATH_PREFIX: &str = "/link/v1";
/// How often the server says that it is still there. An operator that hears nothing for three of these reconnects.
pub const HEARTBEAT_SECONDS: u64 = 10;

/// When a server ends a part: once its objects have this many bytes of JSON.
pub const PART_BYTES: usize = 512 * 1024;
/// The longest line, in bytes: a part and the largest object that ends it. An operator reads no longer one.
pub const LINE_BYTES: usize = 8 << 20;
/// How many deletions a server tells; an operator that missed more is sent the complete state.
pub const DELETES: usize = 20_000;

/// What a cluster shows to get a token.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenRequest {
    /// The cluster that asks.
    pub cluster_id: ClusterId,
    /// The secret that the creation of the cluster answered, once.
    pub client_secret: Secret,
}

/// The answer: a bearer token for the other two paths.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenResponse {
    /// Goes into `Authorization: Bearer`.
    pub access_token: Secret,
    /// Its life in seconds.
    pub expires_in: i64,
}

/// The answer, with status 410, to the right secret of a cluster that was deleted: there is nothing more to obey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterDeleted {
    /// 410.
    pub code: u16,
    /// The same for people.
    pub message: String,
    /// Which cluster: an operator acts on this for its own alone.
    pub deleted_cluster_id: ClusterId,
}

/// The first words of an operator.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hello {
    /// [`PROTOCOL_VERSION`] of the operator.
    pub protocol: u32,
    /// The operator's own version, for the log.
    pub operator_version: String,
    /// Where it stands; absent for the complete state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume>,
}

/// Where an operator stands: the last batch that it applied whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resume {
    /// Its revision.
    pub revision: Revision,
    /// Its token.
    pub token: RevisionToken,
}

/// One line of the stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ServerMessage {
    /// The first line.
    Welcome {
        /// [`PROTOCOL_VERSION`] of the server.
        protocol: u32,
        /// Whose desired state follows.
        #[serde(rename = "clusterId")]
        cluster_id: ClusterId,
        /// Where it stands now.
        revision: Revision,
    },
    /// Changes to apply.
    Batch(Batch),
    /// Nothing new.
    Heartbeat,
}

/// Changes that were committed together or that gathered while the operator was away, or a part of them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Batch {
    /// The revision the cluster has reached when all of this is applied, and what the parts before it brought.
    pub revision: Revision,
    /// The token of that revision, in an end mark: an operator resumes with both. A part that more follow has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<RevisionToken>,
    /// True in each part of the whole state.
    #[serde(default)]
    pub complete: bool,
    /// True in the part of the whole state with which every access rule has been named: every other one of ours is to be
    /// removed, before anything is written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rules_end: bool,
    /// True when parts of the same follow. The one that says so no more is the end mark: of a whole state, everything of ours
    /// that no part named is to be removed then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// To be removed, before anything is written.
    #[serde(default)]
    pub deletes: Vec<ObjectKey>,
    /// To be written, each key once: of a whole state by kind, of changes ascending by revision.
    #[serde(default)]
    pub upserts: Vec<Versioned>,
}

/// An object with the revision that last changed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Versioned {
    /// When it last changed.
    pub revision: Revision,
    /// What it is to be.
    pub object: DesiredObject,
}

#[cfg(test)]
mod tests {
    use reeve_types::{AccessRuleId, ProjectId};
    use serde_json::{Value, json};

    use super::*;

    const TOKEN: &str = "223e4567e89b12d3a456426614174000";

    fn reads_back<T>(value: &T, wire: Value)
    where
        T: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        assert_eq!(serde_json::to_value(value).unwrap(), wire);
        assert_eq!(&serde_json::from_value::<T>(wire).unwrap(), value);
    }

    #[test]
    fn every_message_is_one_json_object_that_names_its_type() {
        let cluster_id = "123e4567-e89b-12d3-a456-426614174000".parse().unwrap();
        let welcome = ServerMessage::Welcome {
            protocol: 6,
            cluster_id,
            revision: Revision(7),
        };
        reads_back(
            &welcome,
            json!({"type": "welcome", "protocol": 6, "clusterId": cluster_id, "revision": 7}),
        );
        reads_back(&ServerMessage::Heartbeat, json!({"type": "heartbeat"}));
        let rule = AccessRule {
            id: AccessRuleId::new(3).unwrap(),
            subject: Subject {
                kind: SubjectKind::ServiceAccount,
                name: "ci".to_owned(),
            },
            role: "l1-researcher".parse().unwrap(),
            scope: Scope::Project(ProjectId::new(33).unwrap()),
        };
        let batch = Batch {
            revision: Revision(8),
            token: Some(TOKEN.parse().unwrap()),
            deletes: vec![ObjectKey::Project(ProjectId::new(34).unwrap())],
            upserts: vec![Versioned {
                revision: Revision(8),
                object: DesiredObject::AccessRule(rule),
            }],
            ..Batch::default()
        };
        let wire = json!({
            "type": "batch", "revision": 8, "token": TOKEN, "complete": false, "deletes": [{"kind": "Project", "id": "34"}],
            "upserts": [{"revision": 8, "object": {"kind": "AccessRule", "spec": {
                "id": 3, "subject": {"kind": "service-account", "name": "ci"}, "role": "l1-researcher",
                "scope": {"type": "project", "id": "33"},
            }}}],
        });
        reads_back(&ServerMessage::Batch(batch), wire);
        let part = Batch {
            revision: Revision(8),
            complete: true,
            rules_end: true,
            more: true,
            ..Batch::default()
        };
        let wire = json!({
            "type": "batch", "revision": 8, "complete": true, "rulesEnd": true, "more": true, "deletes": [], "upserts": [],
        });
        reads_back(&ServerMessage::Batch(part), wire);
    }

    #[test]
    fn a_hello_says_where_it_stands_by_revision_and_token() {
        let token = TOKEN.parse().unwrap();
        let hello: Hello = serde_json::from_value(json!({"protocol": 6, "operatorVersion": "1",
            "resume": {"revision": 7, "token": token}}))
        .unwrap();
        assert_eq!(
            hello.resume,
            Some(Resume {
                revision: Revision(7),
                token,
            })
        );
        let everything = json!({"protocol": 6, "operatorVersion": "1"});
        let hello: Hello = serde_json::from_value(everything.clone()).unwrap();
        assert_eq!(serde_json::to_value(&hello).unwrap(), everything);
        let old = serde_json::from_value::<Hello>(
            json!({"protocol": 6, "operatorVersion": "1", "resume": {"revision": 7}}),
        );
        assert!(old.is_err(), "a revision alone is no place to resume from");
    }

    #[test]
    fn deletions_sort_rules_before_workloads_before_projects() {
        let workload = ObjectKey::Workload("323e4567-e89b-12d3-a456-426614174000".parse().unwrap());
        let (project, rule) = (
            ObjectKey::Project(ProjectId::new(1).unwrap()),
            ObjectKey::AccessRule(AccessRuleId::new(9).unwrap()),
        );
        let mut keys = [project, workload, rule];
        keys.sort_unstable();
        assert_eq!(keys, [rule, workload, project]);
    }

    #[test]
    fn a_status_names_its_object_beside_its_phase() {
        let key = ObjectKey::AccessRule(AccessRuleId::new(3).unwrap());
        let status = ObjectStatus {
            key,
            phase: StatusPhase::NotReady,
            message: "why".to_owned(),
        };
        reads_back(
            &status,
            json!({"kind": "AccessRule", "id": 3, "phase": "NotReady", "message": "why"}),
        );
        let report = serde_json::from_value::<StatusReport>(json!({"revision": 1, "surprise": true}));
        assert!(report.is_err(), "an unknown field is another protocol");
    }

    #[test]
    fn a_secret_in_a_request_is_not_printed() {
        let asked: TokenRequest = serde_json::from_value(json!({
            "clusterId": "123e4567-e89b-12d3-a456-426614174000", "clientSecret": "hunter2",
        }))
        .unwrap();
        assert!(!format!("{asked:?}").contains("hunter2"));
    }
}
