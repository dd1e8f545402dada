//! What our policies cost a pod, beside none, and beside the same rules as a webhook.

mod webhook;

use anyhow::Result;
use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicyBinding;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use reeve_e2e::{Organization, Stack};
use serde_json::json;

use crate::figures::{Series, now};

/// How often something is taken away and put back.
const TURNS: usize = 4;

/// Creating a pod (dry run) as alice with nothing missing and with an identity to fill in, and by her in a namespace that is no
/// project, where of ours only the match condition of `reeve-outside` is looked at; taking turns on one connection. The same while that
/// policy is bound to nothing: then the third is the pod that none of ours is asked about, amid the same requests. Last, the same
/// pods by our policies and by a webhook in turns.
///
/// # Errors
/// A pod is refused.
pub async fn run(stack: &Stack, organization: &Organization, rounds: usize) -> Result<Vec<Series>> {
    let pods = Pods::prepare(stack, organization).await?;
    let mut without = Series::new("pod create, a namespace without our policies");
    let mut outside = Series::new("pod create, a namespace that is no project");
    let mut nothing_missing = Series::new("pod create, our policies, nothing missing");
    let mut filled_in = Series::new("pod create, our policies, identity filled in");
    let policy = Outside {
        bindings: Api::all(stack.cluster.client().await?),
        pods: &pods,
    };
    let rounds_of_turn = rounds / TURNS;
    for turn in 0..TURNS {
        // What is slower with time slows both down: the one that was second is first in the next turn.
        let bound_first = turn % 2 == 1;
        if bound_first {
            policy.while_bound(rounds_of_turn, &mut outside).await?;
        }
        let binding = policy.take_away().await?;
        pods.take_turns(
            rounds_of_turn,
            [&mut without, &mut nothing_missing, &mut filled_in],
        )
        .await?;
        policy.put_back(&binding).await?;
        if !bound_first {
            policy.while_bound(rounds_of_turn, &mut outside).await?;
        }
    }
    let mut all = vec![without, outside, nothing_missing, filled_in];
    all.extend(webhook::run(stack, &pods, rounds).await?);
    Ok(all)
}

/// Pods of one person on one connection, where there is a project and where there is none: what differs is our policies alone.
struct Pods {
    hers: Api<Pod>,
    free: Api<Pod>,
    bare: Pod,
    complete: Pod,
    unstamped: Pod,
    dry: PostParams,
}

impl Pods {
    async fn prepare(stack: &Stack, organization: &Organization) -> Result<Self> {
        let alice = organization.person("alice")?;
        let caller = stack.admin.sign_in(&alice.username, &alice.password).await?;
        let token = stack.kubernetes_token(&caller).await?;
        let client = stack.kubernetes(&token).await?;
        let hers: Api<Pod> = Api::namespaced(client.clone(), "reeve-robots");
        let plain = stack
            .cluster
            .namespace_with("plain", &[("pod-security.kubernetes.io/enforce", "restricted")])
            .await?;
        let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "alice", "namespace": plain},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": alice.username}]});
        reeve_testkit::apply_yaml(&stack.cluster.client().await?, &binding.to_string()).await?;
        let free: Api<Pod> = Api::namespaced(client, &plain);
        for let_in in [&free, &hers] {
            reeve_testkit::wait_until("alice to be let in", async || {
                Ok(let_in.list(&ListParams::default()).await.ok())
            })
            .await?;
        }
        let bare: Pod = serde_json::from_value(
            json!({"metadata": {"generateName": "bench-"}, "spec": {"containers": [
            {"name": "main", "image": reeve_testkit::images::TOOLS}]}}),
        )?;
        let complete = stamped(&format!("{}/70012/5000/5001", alice.id))?;
        // Outside of projects nothing may bear a stamp (R17).
        let mut unstamped = complete.clone();
        unstamped.metadata.annotations = None;
        Ok(Self {
            hers,
            free,
            bare,
            complete,
            unstamped,
            dry: PostParams {
                dry_run: true,
                ..PostParams::default()
            },
        })
    }

    /// Creates a pod where there is no project, her complete one and her bare one in turn, so many times; the first fifty times of each
    /// warm up.
    async fn take_turns(&self, rounds: usize, series: [&mut Series; 3]) -> Result<()> {
        let pods = [
            (&self.free, &self.unstamped),
            (&self.hers, &self.complete),
            (&self.hers, &self.bare),
        ];
        let mut all: Vec<_> = series.into_iter().zip(pods).collect();
        for round in 0..rounds + 50 {
            for (series, (api, pod)) in &mut all {
                let started = now();
                api.create(&self.dry, pod).await?;
                if round >= 50 {
                    series.samples.push(started.elapsed());
                }
            }
        }
        Ok(())
    }
}

/// A pod of which nothing is missing, with this stamp.
fn stamped(stamp: &str) -> Result<Pod> {
    let pod = json!({"metadata": {"generateName": "bench-", "annotations": {"reeve.dev/runs-as": stamp}}, "spec": {
        "os": {"name": "linux"}, "automountServiceAccountToken": false,
        "securityContext": {"runAsUser": 70012, "runAsGroup": 5000, "supplementalGroups": [5001],
            "supplementalGroupsPolicy": "Strict", "runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "main", "image": reeve_testkit::images::TOOLS, "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]}});
    Ok(serde_json::from_value(pod)?)
}

/// The policy of namespaces that are no projects: whether it is bound shows by a pod with a mark of ours.
struct Outside<'a> {
    bindings: Api<ValidatingAdmissionPolicyBinding>,
    pods: &'a Pods,
}

impl Outside<'_> {
    const NAME: &'static str = "reeve-outside";

    /// While it is bound, amid the same requests, which are not counted again.
    async fn while_bound(&self, rounds: usize, series: &mut Series) -> Result<()> {
        let [mut complete, mut bare] = [Series::new(""), Series::new("")];
        self.pods
            .take_turns(rounds, [series, &mut complete, &mut bare])
            .await
    }

    async fn take_away(&self) -> Result<ValidatingAdmissionPolicyBinding> {
        let mut binding = self.bindings.get(Self::NAME).await?;
        self.bindings.delete(Self::NAME, &DeleteParams::default()).await?;
        binding.metadata.resource_version = None;
        binding.metadata.uid = None;
        self.wait_until_asked(false).await?;
        Ok(binding)
    }

    async fn put_back(&self, binding: &ValidatingAdmissionPolicyBinding) -> Result<()> {
        self.bindings.create(&PostParams::default(), binding).await?;
        self.wait_until_asked(true).await
    }

    async fn wait_until_asked(&self, asked: bool) -> Result<()> {
        reeve_testkit::wait_until("the policy of other namespaces", async || {
            let pods = self.pods;
            let admitted = pods.free.create(&pods.dry, &pods.complete).await.is_ok();
            Ok((admitted != asked).then_some(()))
        })
        .await
    }
}
