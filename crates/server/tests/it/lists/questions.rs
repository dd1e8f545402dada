//! What a caller asks whose answers may not depend on what lies beside what they may see.

use axum::http::Method;
use serde_json::{Value, json};

use super::LISTS;
use crate::server::OrganizationFixture;

const CREDENTIALS: &str = "/api/v1/asset/credentials";
const SECRETS: &str = "/api/v1/asset/datasource/secrets";
const POLICIES: &str = "/api/v2/policy";
const AUTHORIZATION: &str = "/api/v1/authorization";
/// Numbers of departments and projects that are there, and hidden, in the end, and some of which are not there before.
const HIDDEN: std::ops::Range<usize> = 3..8;

/// A request that reads.
pub(super) struct Question {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Value,
}

impl Question {
    fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            body: Value::Null,
        }
    }

    fn about_access(question: &str, body: Value) -> Self {
        Self {
            method: Method::POST,
            path: format!("{AUTHORIZATION}/{question}"),
            body,
        }
    }

    /// As it is told in a failure.
    pub(super) fn text(&self) -> String {
        match &self.body {
            Value::Null => format!("{} {}", self.method, self.path),
            body => format!("{} {} {body}", self.method, self.path),
        }
    }
}

/// Pages, orders, filters, counts, single objects, questions about access, and what is refused.
pub(super) fn all(organization: &OrganizationFixture) -> Vec<Question> {
    let mut all = pages();
    all.extend(assets_and_policies().into_iter().map(Question::get));
    all.extend(access(organization));
    all
}

fn pages() -> Vec<Question> {
    let mut all = vec!["/api/v1/clusters".to_owned()];
    for list in LISTS {
        all.push(list.to_owned());
        all.push(format!("{list}?limit=1"));
        all.push(format!("{list}?limit=1&offset=1&sortOrder=desc"));
        all.push(format!("{list}?sortBy=createdAt&limit=2"));
        all.push(format!("{list}?search=a"));
        all.push(format!("{list}?sortBy=colour"));
        if !list.ends_with("trainings") {
            all.push(format!("{list}/count"));
            all.push(format!("{list}/count?search=capt"));
        }
    }
    for list in ["/api/v1/org-unit/departments", "/api/v1/org-unit/projects"] {
        all.push(format!("{list}?filterBy=name=%5Ec&sortBy=name&limit=1"));
        all.push(format!("{list}/count?filterBy=name=@a,id%3E=1"));
        all.extend(HIDDEN.map(|id| format!("{list}/{id}")));
    }
    all.push(format!(
        "{AUTHORIZATION}/access-rules?sortBy=phase&includeDeleted=true"
    ));
    all.push(format!(
        "{AUTHORIZATION}/access-rules?scopeType=project&subjectIds=g1,g2"
    ));
    for own in ["", "/count"] {
        all.push(format!("{AUTHORIZATION}/me/access-rules{own}"));
        all.push(format!("{AUTHORIZATION}/me/access-rules{own}?search=lang"));
    }
    all.push(format!("{AUTHORIZATION}/me/access-rules?limit=1&offset=1"));
    all.into_iter().map(Question::get).collect()
}

fn assets_and_policies() -> Vec<String> {
    let kind = format!("{CREDENTIALS}/password");
    let mut all = Vec::new();
    for list in [CREDENTIALS, kind.as_str(), SECRETS, POLICIES] {
        all.push(list.to_owned());
        all.push(format!("{list}?scope=project"));
        all.push(format!("{list}?scope=spaceship"));
        for parameter in ["departmentId", "projectId"] {
            all.extend(HIDDEN.map(|id| format!("{list}?{parameter}={id}")));
        }
    }
    for scope in ["department", "project"] {
        all.extend(HIDDEN.map(|id| format!("{POLICIES}/trainings?scope={scope}&{scope}Id={id}")));
    }
    for list in [CREDENTIALS, kind.as_str(), SECRETS] {
        all.push(format!("{list}?name=token"));
        all.extend((0..3).map(|at| format!("{list}?limit=1&offset={at}")));
        all.push(format!("{list}?limit=0"));
        // The name of one that is hidden alone.
        all.push(format!("{list}?name=token-25"));
    }
    for kind in ["Training", "Workspace"] {
        all.push(format!("{POLICIES}?workloadType={kind}"));
    }
    all
}

fn access(organization: &OrganizationFixture) -> Vec<Question> {
    let captions = ("project", organization.captions.clone());
    let language = ("department", organization.language.clone());
    let hidden = HIDDEN.map(|id| ("project", id.to_string()));
    let cluster = ("cluster", organization.cluster.clone());
    let mut all = Vec::new();
    for (kind, id) in [captions, language, cluster].into_iter().chain(hidden) {
        for (entity, action) in [
            ("trainings", "read"),
            ("trainings", "create"),
            ("credentials", "read"),
        ] {
            let about = json!({"resourceType": entity, "action": action, "scopeType": kind, "scopeId": id});
            all.push(Question::about_access("who-can", about.clone()));
            let mut page = about.clone();
            page["limit"] = json!(1);
            page["offset"] = json!(1);
            all.push(Question::about_access("who-can", page));
            all.push(Question::about_access("explain", about.clone()));
            let subjects = [("user", "alice@example.com"), ("group", "g25")];
            for (kind, name) in subjects {
                let mut of = about.clone();
                of["subject"] = json!({"subjectType": kind, "subjectId": name});
                all.push(Question::about_access("explain", of));
            }
        }
    }
    for entity in ["project", "trainings", "credentials", "policies", "users"] {
        let body = json!({"resourceType": entity});
        all.push(Question::about_access("permitted-scopes", body));
    }
    all
}
