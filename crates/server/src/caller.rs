//! Who is asking, once the token was verified.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use reeve_api::Operation;
use reeve_authz::{Granted, Principal};
use reeve_store::{AuditAction, AuditEntry, AuditSubject, Outcome, SubjectId};
use reeve_types::{AccessKeyId, ClusterId, SessionId, Timestamp};

use crate::error::ApiError;

/// An authenticated caller.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose token it is.
    pub id: SubjectId,
    /// The session that the token belongs to.
    pub session: SessionId,
    /// The session whose groups and POSIX identity count: that one, or the one behind that of an access key.
    pub shown_by: SessionId,
    /// The access key by which the caller's program asks.
    pub access_key: Option<AccessKeyId>,
    /// Whether the session began with a temporary password, which was not changed since: then it is good for little.
    pub has_temporary_password: bool,
    /// What rules name: the subject, and the groups of the session.
    pub principal: Principal,
    /// Email or service account name.
    pub name: String,
}

impl Caller {
    /// Who asks for a change: looked at again when it is done.
    pub const fn asker(&self) -> Asker {
        Asker::Session(self.id, self.session)
    }

    /// What kind of subject the audit log calls it.
    pub const fn audit_subject(&self) -> AuditSubject {
        match self.id {
            SubjectId::User(_) => AuditSubject::User,
            SubjectId::ServiceAccount(_) => AuditSubject::App,
        }
    }
}

/// For whom a change is made.
#[derive(Debug, Clone, Copy)]
pub enum Asker {
    /// Somebody, in a session.
    Session(SubjectId, SessionId),
    /// Nobody: it is time for it, or a cluster speaks of itself.
    System,
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        // The guard before the handler put it there; a route without that guard has nobody to show.
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(ApiError::Unauthenticated("this operation needs a bearer token"))
    }
}

/// What the log and the audit log say of a request; no header, no query, no body.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its id, drawn here.
    pub id: String,
    /// From where.
    pub source: Option<SocketAddr>,
    /// Method and route of the operation.
    pub operation: &'static Operation,
    /// When it arrived.
    pub at: Timestamp,
}

impl Call {
    /// An audit event of this request, by nobody yet.
    pub fn event(&self, action: AuditAction, entity: &str) -> AuditEntry {
        AuditEntry {
            timestamp: self.at,
            request_id: self.id.clone(),
            subject: String::new(),
            subject_type: AuditSubject::User,
            source_ip: self.source.map(|address| address.ip().to_string()),
            action,
            http_method: self.operation.method.as_str().to_owned(),
            url: self.operation.path.to_owned(),
            entity_type: entity.to_owned(),
            entity_name: String::new(),
            entity_id: String::new(),
            result: Outcome::Succeeded,
            http_status_code: self.operation.success,
            cluster_id: None,
            metadata: std::collections::BTreeMap::new(),
        }
    }

    /// An audit event of this request by its caller, about something of this type.
    pub fn by(&self, caller: &Caller, action: AuditAction, entity: &str) -> AuditEntry {
        let mut entry = self.event(action, entity);
        entry.subject.clone_from(&caller.name);
        entry.subject_type = caller.audit_subject();
        if let Some(key) = caller.access_key {
            entry.metadata.insert("access_key".to_owned(), key.to_string());
        }
        entry
    }

    /// An audit event of this request by its caller, with the rule that allowed it.
    pub fn entry(&self, caller: &Caller, granted: &Granted, action: AuditAction) -> AuditEntry {
        let mut entry = self.by(caller, action, granted.entity().wire_name());
        if let Some(reason) = granted.because() {
            entry
                .metadata
                .insert("allowed_by_rule".to_owned(), reason.rule.to_string());
            entry
                .metadata
                .insert("allowed_by_role".to_owned(), reason.role.to_string());
        }
        entry
    }
}

impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| ApiError::internal("the route has no guard"))
    }
}

/// What the audit log says of a request of the link.
#[derive(Debug, Clone)]
pub struct LinkCall {
    /// Its id, drawn here.
    pub id: String,
    /// From where.
    pub source: Option<SocketAddr>,
    /// When it arrived.
    pub at: Timestamp,
}

impl LinkCall {
    /// An event of this request, by a cluster and about it.
    pub fn entry(&self, action: AuditAction, url: &str, cluster: ClusterId, name: String) -> AuditEntry {
        let mut entry = AuditEntry::of_the_system(action, "cluster", self.id.clone(), self.at);
        entry.source_ip = self.source.map(|address| address.ip().to_string());
        "POST".clone_into(&mut entry.http_method);
        url.clone_into(&mut entry.url);
        entry.cluster_id = Some(cluster);
        entry.http_status_code = 200;
        entry.subject.clone_from(&name);
        entry.about(cluster, name)
    }
}

impl<S: Sync> FromRequestParts<S> for LinkCall {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let call = parts.extensions.get::<Self>().cloned();
        call.ok_or_else(|| ApiError::internal("the route has no guard"))
    }
}

/// The peer's address, where the listener told it.
pub fn source(extensions: &http::Extensions) -> Option<SocketAddr> {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(address)| *address)
}
