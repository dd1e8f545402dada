//! The same rules as a webhook: `reeve-webhook` in the place of the policies.

use anyhow::{Result, bail};
use kube::ResourceExt;
use reeve_e2e::{Stack, Webhook};

use super::{Pods, TURNS, stamped};
use crate::figures::Series;

/// The pods of [`super::run`] by our policies and by the webhook in turns, so that what slows the machine down slows both. The program
/// runs on the same machine as the API server, by loopback: in a cluster each question takes a way through the network as well.
/// What fills in limits for GPUs (`reeve-limits`) is a policy alone: the webhook has that much less to do.
///
/// # Errors
/// A pod is refused, or the API server does not take up the one or the other.
pub(super) async fn run(stack: &Stack, pods: &Pods, rounds: usize) -> Result<Vec<Series>> {
    let mut without = Series::new("pod create, beside our policies, a namespace that is no project");
    let mut nothing_missing = Series::new("pod create, our policies beside a webhook, nothing missing");
    let mut filled_in = Series::new("pod create, our policies beside a webhook, identity filled in");
    let mut outside = Series::new("pod create, beside the webhook, a namespace that is no project");
    let mut asked_complete = Series::new("pod create, the same rules as a webhook, nothing missing");
    let mut asked_bare = Series::new("pod create, the same rules as a webhook, identity filled in");
    let webhook = Webhook::start(stack).await?;
    let switch = Switch { pods, webhook };
    let rounds = rounds / TURNS;
    for _ in 0..TURNS {
        pods.take_turns(rounds, [&mut without, &mut nothing_missing, &mut filled_in])
            .await?;
        switch.to_webhook().await?;
        pods.take_turns(rounds, [&mut outside, &mut asked_complete, &mut asked_bare])
            .await?;
        switch.to_policies().await?;
    }
    Ok(vec![
        without,
        nothing_missing,
        filled_in,
        outside,
        asked_complete,
        asked_bare,
    ])
}

/// Switches between the two, with nobody in between: so it is known who judged.
struct Switch<'a> {
    pods: &'a Pods,
    webhook: Webhook,
}

impl Switch<'_> {
    async fn to_webhook(&self) -> Result<()> {
        self.webhook.remove_policies().await?;
        self.wait_until_judged_by(None).await?;
        self.webhook.install().await?;
        self.wait_until_judged_by(Some("admission webhook")).await
    }

    async fn to_policies(&self) -> Result<()> {
        self.webhook.remove().await?;
        self.wait_until_judged_by(None).await?;
        self.webhook.install_policies().await?;
        self.wait_until_judged_by(Some("ValidatingAdmissionPolicy")).await
    }

    /// By whom, as its refusals begin, or by nobody: shown by a pod that says it is somebody else's, in the project and outside of it,
    /// and by one whose stamp is filled in.
    async fn wait_until_judged_by(&self, judge: Option<&str>) -> Result<()> {
        let Pods { hers, free, dry, .. } = self.pods;
        let forged = stamped("somebody/70099/5000/")?;
        reeve_testkit::wait_until("the policies, or the webhook, to count", async || {
            for api in [hers, free] {
                match (api.create(dry, &forged).await, judge) {
                    (Ok(_), None) => {}
                    (Err(kube::Error::Api(status)), Some(judge))
                        if status.message.contains(judge) && status.message.contains("reeve: R") => {}
                    (outcome, _) => bail!("{outcome:?}"),
                }
            }
            let made = hers.create(dry, &self.pods.unstamped).await?;
            let filled_in = made.annotations().contains_key("reeve.dev/runs-as");
            Ok((filled_in == judge.is_some()).then_some(()))
        })
        .await
    }
}
