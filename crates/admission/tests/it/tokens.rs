//! R10 and R14 on a real API server: which tokens of a trusted issuer it accepts, and that every rule on claims is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::authentication::v1::{SelfSubjectReview, UserInfo};
use kube::api::{Api, PostParams};
use reeve_admission::authentication::{
    USER_RULES, authentication_configuration, authentication_configuration_with_fault,
    authentication_configuration_yaml,
};
use reeve_testkit::{Cluster, Options, own_cluster, wait_for};
use serde_json::{Value, json};

use crate::issuer::TestIssuer;

const AUDIENCE: &str = "reeve-cluster:7c9e6679-7425-40de-944b-e07fc1f90ae7";
const OTHER: &str = "reeve-cluster:00000000-0000-4000-8000-000000000000";
/// The two rules that stand beside [`USER_RULES`] in the configuration.
const CLAIM_RULES: [&str; 2] = ["verified-email", "audience"];

/// A token that one rule alone refuses.
struct Attack {
    rule: &'static str,
    audience: &'static str,
    claims: Value,
}

fn attacks() -> Vec<Attack> {
    let attack = |rule, claims| Attack {
        rule,
        audience: AUDIENCE,
        claims,
    };
    vec![
        attack("system-name", json!({"email": "system:admin@example.com"})),
        attack("reeve-name", json!({"email": "reeve:application:ci@example.com"})),
        attack("email-name", json!({"email": "alice"})),
        attack(
            "group-name",
            json!({"groups": ["reeve-group/ml team", "system:masters"]}),
        ),
        attack("group-name", json!({"groups": ["reeve:installers"]})),
        attack("group-name", json!({"groups": ["cluster-admins"]})),
        attack("group-name", json!({"groups": ["reeve-group/oidc:admins"]})),
        attack("verified-email", json!({"email_verified": false})),
        Attack {
            rule: "audience",
            audience: OTHER,
            claims: json!({}),
        },
    ]
}

/// The configuration without one rule.
fn faulty(issuer: &TestIssuer, rule: &str) -> Value {
    let mut config = match rule {
        "audience" => return authentication_configuration(&issuer.url, OTHER, &issuer.ca_pem),
        "verified-email" => authentication_configuration(&issuer.url, AUDIENCE, &issuer.ca_pem),
        rule => authentication_configuration_with_fault(&issuer.url, AUDIENCE, &issuer.ca_pem, rule),
    };
    if rule == "verified-email" {
        // Kubernetes refuses a file that never looks at the claim: so it looks, and lets everything pass.
        config["jwt"][0]["claimValidationRules"][0]["expression"] =
            json!("claims.?email_verified.orValue(true) in [true, false]");
    }
    config
}

/// Who the API server says this is; `None` for 401.
async fn whoami(cluster: &Cluster, token: &str) -> Result<Option<UserInfo>> {
    let reviews: Api<SelfSubjectReview> = Api::all(cluster.client_with_token(token).await?);
    match reviews
        .create(&PostParams::default(), &SelfSubjectReview::default())
        .await
    {
        Ok(review) => Ok(Some(
            review
                .status
                .and_then(|s| s.user_info)
                .context("a review without a user")?,
        )),
        Err(kube::Error::Api(status)) if status.code == 401 => Ok(None),
        Err(other) => Err(other).context("neither accepted nor 401"),
    }
}

async fn set_up() -> Result<Option<(Cluster, TestIssuer)>> {
    let issuer = TestIssuer::start().await?;
    let options = Options {
        authentication_config: Some(authentication_configuration_yaml(
            &issuer.url,
            AUDIENCE,
            &issuer.ca_pem,
        )),
        ..Options::default()
    };
    let Some(cluster) = own_cluster(options).await else {
        return Ok(None);
    };
    let token = issuer.token(AUDIENCE, &json!({}))?;
    cluster.wait_until_token_accepted(&token).await?;
    Ok(Some((cluster, issuer)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r10_a_token_named_system_admin_is_nobodys_and_an_honest_one_carries_its_identity() -> Result<()> {
    let Some((cluster, issuer)) = set_up().await? else {
        return Ok(());
    };
    for claims in [
        json!({"email": "system:admin"}),
        json!({"email": "system:serviceaccount:kube-system:job-controller"}),
        json!({"email": "system:serviceaccount:reeve-system:reeve-operator"}),
        json!({"email": "reeve:application:ci"}),
        json!({"groups": ["system:masters"]}),
        json!({"groups": ["reeve:installers"]}),
        json!({"email": "alice"}),
        json!({"email": ""}),
        json!({"email": null}),
        json!({"iss": "https://127.0.0.1:1/realms/test"}),
        json!({"exp": 1_000_000_000}),
    ] {
        let who = whoami(&cluster, &issuer.token(AUDIENCE, &claims)?).await?;
        ensure!(who.is_none(), "{claims} is {who:?}");
    }
    for attack in attacks() {
        let who = whoami(&cluster, &issuer.token(attack.audience, &attack.claims)?).await?;
        ensure!(who.is_none(), "{}: {} is {who:?}", attack.rule, attack.claims);
    }
    let stranger = TestIssuer::start().await?;
    let forged = stranger.token(AUDIENCE, &json!({"iss": issuer.url}))?;
    ensure!(
        whoami(&cluster, &forged).await?.is_none(),
        "a foreign key is accepted"
    );

    let honest = whoami(&cluster, &issuer.token(AUDIENCE, &json!({}))?)
        .await?
        .context("the honest token is refused")?;
    let wanted: BTreeMap<String, Vec<String>> = [
        ("reeve.dev/uid", vec!["70012"]),
        ("reeve.dev/gid", vec!["5000"]),
        ("reeve.dev/groups", vec!["5001", "5002"]),
    ]
    .into_iter()
    .map(|(key, values)| (key.to_owned(), values.into_iter().map(str::to_owned).collect()))
    .collect();
    let mut extra = honest.extra.unwrap_or_default();
    // Kubernetes' own id of the token.
    extra.retain(|key, _| key.starts_with("reeve.dev/"));
    assert_eq!(extra, wanted);
    assert_eq!(honest.username.as_deref(), Some("alice@example.com"));
    assert_eq!(
        honest.uid.as_deref(),
        Some("123e4567-e89b-12d3-a456-426614174000")
    );
    assert_eq!(
        honest.groups.unwrap_or_default(),
        ["reeve-group/ml team", "system:authenticated"]
    );

    // Somebody whom no provider gave numbers is let in as nobody in particular.
    let claims = json!({"uid": null, "gid": null, "supplementaryGroups": null});
    let plain = whoami(&cluster, &issuer.token(AUDIENCE, &claims)?)
        .await?
        .context("a token without numbers is refused")?;
    let extra = plain.extra.unwrap_or_default();
    ensure!(
        extra.keys().all(|key| !key.starts_with("reeve.dev/")),
        "{extra:?}"
    );
    Ok(())
}

/// Every claim rule once left out: the token that it refuses is then accepted, so the test above would be red. Each fault
/// stands in the entry of an issuer of its own, because the API server takes ten seconds to trust a new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planted_fault_in_any_claim_rule_lets_its_token_in() -> Result<()> {
    let attacks = attacks();
    let rules: BTreeSet<&str> = USER_RULES
        .iter()
        .map(|(name, ..)| *name)
        .chain(CLAIM_RULES)
        .collect();
    let attacked: BTreeSet<&str> = attacks.iter().map(|a| a.rule).collect();
    assert_eq!(attacked, rules, "an attack for every rule, and none for others");

    let mut issuers = Vec::new();
    let mut config = Value::Null;
    for attack in &attacks {
        let issuer = TestIssuer::start().await?;
        let mut one = faulty(&issuer, attack.rule);
        if config.is_null() {
            config = one;
        } else {
            let entry = one["jwt"][0].take();
            config["jwt"].as_array_mut().context("no issuers")?.push(entry);
        }
        issuers.push(issuer);
    }
    let options = Options {
        authentication_config: Some(serde_saphyr::to_string(&config)?),
        ..Options::default()
    };
    let Some(cluster) = own_cluster(options).await else {
        return Ok(());
    };
    let mut red = BTreeSet::new();
    for (attack, issuer) in attacks.iter().zip(&issuers) {
        wait_for(Duration::from_secs(40), "the token to be accepted", async || {
            let token = issuer.token(attack.audience, &attack.claims)?;
            Ok(whoami(&cluster, &token).await?.map(drop))
        })
        .await
        .with_context(|| format!("no token notices that the rule `{}` is gone", attack.rule))?;
        // It was that rule alone: the others still stand.
        let others = attacks
            .iter()
            .filter(|a| a.rule != attack.rule && a.audience == attack.audience);
        for other in others {
            let who = whoami(&cluster, &issuer.token(other.audience, &other.claims)?).await?;
            ensure!(
                who.is_none(),
                "without {} also {} is {who:?}",
                attack.rule,
                other.claims
            );
        }
        red.insert(attack.rule);
    }
    // Some rules are attacked in more than one way.
    println!(
        "mutants: claim rules: {} planted faults, {} noticed",
        attacks
            .iter()
            .map(|attack| attack.rule)
            .collect::<BTreeSet<_>>()
            .len(),
        red.len()
    );
    assert_eq!(
        red.len(),
        USER_RULES.len() + CLAIM_RULES.len(),
        "fewer faults than claim rules"
    );
    Ok(())
}
