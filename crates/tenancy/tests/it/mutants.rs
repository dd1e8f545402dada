//! The forbidden grants, asked of a real API server: refused with the sound roles, allowed when one is planted.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use reeve_admission::names;
use reeve_tenancy::{Switches, objects, people, rbac_yaml};
use reeve_testkit::{Cluster, Options, apply_yaml, is_whole, own_cluster, wait_until};
use serde_json::json;

use crate::forbidden::{FORBIDDEN, Forbidden, Holder};

/// What every run plants; `MUTANTS=all` plants every row.
const SAMPLE: [&str; 10] = [
    "exec",
    "portforward",
    "scale-of-deployments",
    "service-account-tokens",
    "userextras-uid",
    "escalate",
    "controller-revisions",
    "role-bindings-outside",
    "secrets-outside",
    "validating-policies",
];

const NAMESPACE: &str = "reeve-robots";

/// Somebody who holds one of our ClusterRoles, and where.
struct Asker {
    cluster_role: &'static str,
    user: String,
    groups: Vec<String>,
    namespaces: &'static [&'static str],
}

fn askers() -> Vec<Asker> {
    let mut all: Vec<Asker> = people::roles()
        .into_iter()
        .map(|role| Asker {
            cluster_role: role.cluster_role,
            user: format!("{}@example.com", role.cluster_role),
            groups: vec!["system:authenticated".into()],
            namespaces: &[NAMESPACE],
        })
        .collect();
    let operator = |cluster_role, namespaces| Asker {
        cluster_role,
        user: names::OPERATOR_USER.into(),
        groups: vec![
            "system:authenticated".into(),
            "system:serviceaccounts".into(),
            "system:serviceaccounts:reeve-system".into(),
        ],
        namespaces,
    };
    all.push(operator(
        names::OPERATOR_SERVICE_ACCOUNT,
        &["kube-system", "default", names::SYSTEM_NAMESPACE],
    ));
    all.push(operator(names::ROLE_OPERATOR_IN_PROJECT, &[NAMESPACE]));
    all
}

fn concerns(row: &Forbidden, asker: &Asker) -> bool {
    row.concerns(&Holder {
        role: asker.cluster_role.to_owned(),
        namespace: None,
    })
}

/// The request that a rule of one verb on one resource would allow; with a wildcard, one that only the wildcard allows.
fn request(rule: &PolicyRule, namespace: &str) -> ResourceAttributes {
    let first =
        |list: &Option<Vec<String>>| list.as_ref().and_then(|l| l.first()).cloned().unwrap_or_default();
    let (group, resource, verb) = (
        first(&rule.api_groups),
        first(&rule.resources),
        rule.verbs[0].clone(),
    );
    let (resource, subresource) = match resource.split_once('/') {
        Some(("*", subresource)) => ("persistentvolumes".to_owned(), Some(subresource.to_owned())),
        Some((resource, subresource)) => (resource.to_owned(), Some(subresource.to_owned())),
        None if resource == "*" => ("podtemplates".to_owned(), None),
        None => (resource, None),
    };
    ResourceAttributes {
        namespace: Some(namespace.into()),
        group: Some(if group == "*" { "example.com".into() } else { group }),
        resource: Some(resource),
        subresource,
        verb: Some(if verb == "*" { "approve".into() } else { verb }),
        name: rule.resource_names.as_ref().and_then(|n| n.first()).cloned(),
        ..ResourceAttributes::default()
    }
}

async fn allowed(client: &Client, asker: &Asker, request: ResourceAttributes) -> Result<bool> {
    let reviews: Api<SubjectAccessReview> = Api::all(client.clone());
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(asker.user.clone()),
            groups: Some(asker.groups.clone()),
            resource_attributes: Some(request),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let answer = reviews.create(&PostParams::default(), &review).await?;
    Ok(answer.status.context("a review without a status")?.allowed)
}

/// Everything an installer applies, a project's namespace, and a binding of each role in it.
async fn set_up(cluster: &Cluster) -> Result<Client> {
    let client = cluster.installer_client().await?;
    apply_yaml(&client, &rbac_yaml(Switches::default())?).await?;
    apply_yaml(
        &client,
        &format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}, labels: {{reeve.dev/project: robots}}}}\n"),
    )
    .await?;
    for asker in askers().iter().filter(|a| a.namespaces == [NAMESPACE]) {
        let subject = if asker.user == names::OPERATOR_USER {
            json!({"kind": "ServiceAccount", "name": names::OPERATOR_SERVICE_ACCOUNT, "namespace": names::SYSTEM_NAMESPACE})
        } else {
            json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": asker.user})
        };
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": asker.cluster_role, "namespace": NAMESPACE},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": asker.cluster_role},
            "subjects": [subject],
        });
        apply_yaml(&client, &binding.to_string()).await?;
    }
    // Nothing is shown by refusals before the bindings count.
    for asker in &askers() {
        let read = PolicyRule {
            api_groups: Some(vec![String::new()]),
            resources: Some(vec!["pods".into()]),
            verbs: vec!["list".into()],
            ..PolicyRule::default()
        };
        wait_until("the binding to count", async || {
            Ok(allowed(&client, asker, request(&read, asker.namespaces[0]))
                .await?
                .then_some(()))
        })
        .await?;
    }
    Ok(client)
}

/// The rows to plant.
fn chosen() -> Vec<&'static Forbidden> {
    let all = is_whole("MUTANTS");
    FORBIDDEN
        .iter()
        .filter(|row| all || SAMPLE.contains(&row.id))
        .collect()
}

async fn write(client: &Client, role: &ClusterRole) -> Result<()> {
    let roles: Api<ClusterRole> = Api::all(client.clone());
    let name = role.metadata.name.as_deref().context("a role without a name")?;
    roles
        .patch(
            name,
            &PatchParams::apply("reeve-testkit").force(),
            &Patch::Apply(role),
        )
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_server_refuses_every_row_and_notices_a_planted_grant() -> Result<()> {
    let Some(cluster) = own_cluster(Options::default()).await else {
        return Ok(());
    };
    let client = set_up(&cluster).await?;
    let askers = askers();
    let mut asked = 0;
    for row in &FORBIDDEN {
        for asker in askers.iter().filter(|a| concerns(row, a)) {
            for (plant, namespace) in row
                .plants()
                .iter()
                .flat_map(|p| asker.namespaces.iter().map(move |n| (p, *n)))
            {
                let request = request(plant, namespace);
                ensure!(
                    !allowed(&client, asker, request.clone()).await?,
                    "{}: {} may {request:?}",
                    row.id,
                    asker.user
                );
                asked += 1;
            }
        }
    }
    let chosen = chosen();
    let mut red = Vec::new();
    for (turn, row) in chosen.iter().enumerate() {
        let concerned: Vec<&Asker> = askers.iter().filter(|a| concerns(row, a)).collect();
        let asker = concerned[turn % concerned.len()];
        let plant = row.plants().into_iter().next().context("nothing to plant")?;
        let sound = objects(Switches::default())
            .cluster_roles
            .into_iter()
            .find(|r| r.metadata.name.as_deref() == Some(asker.cluster_role))
            .context("no such role")?;
        let mut faulty = sound.clone();
        faulty.rules.get_or_insert_default().push(plant.clone());
        write(&client, &faulty).await?;
        let wanted = request(&plant, asker.namespaces[0]);
        wait_until(row.id, async || {
            Ok(allowed(&client, asker, wanted.clone()).await?.then_some(()))
        })
        .await
        .with_context(|| format!("nobody notices that {} may {}", asker.user, row.id))?;
        write(&client, &sound).await?;
        wait_until("the sound role", async || {
            Ok((!allowed(&client, asker, wanted.clone()).await?).then_some(()))
        })
        .await?;
        red.push(format!("{}: {}", row.id, asker.cluster_role));
    }
    println!(
        "{}\nmutants: RBAC on the API server: {} planted faults, {} noticed ({asked} requests refused before)",
        red.join("\n"),
        chosen.len(),
        red.len()
    );
    let wanted = if is_whole("MUTANTS") {
        FORBIDDEN.len()
    } else {
        SAMPLE.len()
    };
    assert_eq!(red.len(), wanted, "fewer faults than rows");
    Ok(())
}
