//! How a cluster's API server trusts the server's tokens: structured authentication (admission 1, step 3; R10, R14).

use serde_json::{Value, json};

use crate::names;

/// The AuthenticationConfiguration of one cluster.
///
/// It accepts tokens of `issuer_url` for `audience` only, maps email, groups, subject and the three POSIX claims, and
/// refuses names and groups that belong to Kubernetes or to Reeve. Anonymous requests reach health checks only.
pub fn authentication_configuration(issuer_url: &str, audience: &str, ca_pem: &str) -> Value {
    let paths: Vec<Value> = ["/livez", "/readyz", "/healthz"]
        .iter()
        .map(|path| json!({"path": path}))
        .collect();
    json!({
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "anonymous": {"enabled": true, "conditions": paths},
        "jwt": [{
            "issuer": {
                "url": issuer_url,
                "audiences": [audience],
                "audienceMatchPolicy": "MatchAny",
                "certificateAuthority": ca_pem,
            },
            "claimValidationRules": claim_rules(),
            "claimMappings": mappings(),
            "userValidationRules": user_rules(),
        }],
    })
}

/// The same as YAML: the file of `kube-apiserver --authentication-config`.
pub fn authentication_configuration_yaml(issuer_url: &str, audience: &str, ca_pem: &str) -> String {
    crate::yaml_text(&authentication_configuration(issuer_url, audience, ca_pem))
}

fn mappings() -> Value {
    let text = |claim: &str| format!("has(claims.{claim}) ? string(claims.{claim}) : ''");
    json!({
        "username": {"expression": "claims.email"},
        "groups": {"expression": "has(claims.groups) ? claims.groups : []"},
        "uid": {"claim": "sub"},
        "extra": [
            {"key": names::EXTRA_UID, "valueExpression": text("uid")},
            {"key": names::EXTRA_GID, "valueExpression": text("gid")},
            {
                "key": names::EXTRA_GROUPS,
                "valueExpression": "has(claims.supplementaryGroups) ? claims.supplementaryGroups : []",
            },
        ],
    })
}

/// What a token must have. Kubernetes asks whoever maps `email` by expression to look at `email_verified` somewhere.
fn claim_rules() -> Value {
    json!([
        {
            "expression": "has(claims.email) && claims.?email_verified.orValue(true) == true",
            "message": "the token needs a verified email",
        },
    ])
}

/// Rules on the user that comes out: each is `(name of the rule in tests, expression, message)`.
pub const USER_RULES: [(&str, &str, &str); 4] = [
    (
        "system-name",
        "!user.username.startsWith('system:')",
        "names that begin with system: are not accepted",
    ),
    (
        "reeve-name",
        "!user.username.startsWith('reeve:')",
        "names that begin with reeve: are not accepted",
    ),
    (
        "email-name",
        "user.username.contains('@')",
        "a user name must be an email",
    ),
    // `crate::names::GROUP_PREFIX`. With it no group is one of Kubernetes (`system:`), of Reeve (`reeve:`), or one that the cluster
    // knows from elsewhere.
    (
        "group-name",
        "user.groups.all(g, g.startsWith('reeve-group/') && !g.contains(':'))",
        "groups that do not begin with reeve-group/ or have a colon are not accepted",
    ),
];

fn user_rules() -> Value {
    USER_RULES
        .iter()
        .map(|(_, expression, message)| json!({"expression": expression, "message": message}))
        .collect()
}

/// The configuration with one rule on users left out: a planted fault that a test must notice.
#[cfg(any(test, feature = "testing"))]
pub fn authentication_configuration_with_fault(
    issuer_url: &str,
    audience: &str,
    ca_pem: &str,
    rule: &str,
) -> Value {
    let mut value = authentication_configuration(issuer_url, audience, ca_pem);
    let dropped = USER_RULES
        .iter()
        .find(|(name, ..)| *name == rule)
        .map(|(_, expression, _)| *expression);
    if let Some(rules) = value
        .pointer_mut("/jwt/0/userValidationRules")
        .and_then(Value::as_array_mut)
    {
        rules.retain(|r| r.get("expression").and_then(Value::as_str) != dropped);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    #[test]
    fn the_generated_configuration_is_the_reviewed_one() {
        let text = authentication_configuration_yaml(
            "https://127.0.0.1:8443/auth/realms/runai",
            "reeve-cluster:x",
            PEM,
        );
        insta::assert_snapshot!(text);
        let back: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(back.pointer("/jwt/0/issuer/certificateAuthority").unwrap(), PEM);
    }

    #[test]
    fn the_rule_on_groups_knows_their_prefix() {
        let rule = USER_RULES.iter().find(|(name, ..)| *name == "group-name");
        let (_, expression, _) = rule.unwrap();
        assert!(expression.contains(&format!("g.startsWith('{}')", names::GROUP_PREFIX)));
    }

    #[test]
    fn each_fault_drops_one_rule() {
        for (name, ..) in USER_RULES {
            let value = authentication_configuration_with_fault("https://x", "a", PEM, name);
            assert_eq!(
                value["jwt"][0]["userValidationRules"].as_array().unwrap().len(),
                USER_RULES.len() - 1
            );
        }
    }
}
