//! One leader among replicas, by a `coordination.k8s.io` Lease.
//!
//! A candidate takes the lease when nobody holds it or its holder has not renewed it for its whole duration, measured by
//! the candidate's own clock from when it last saw the lease change (clocks of machines are not compared). The write is
//! guarded by the resource version, so that of two candidates one wins. A leader that cannot renew in time has lost:
//! [`Held::hold`] returns, and the process must stop, because another may lead already.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease as Object, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff;
use kube::api::PostParams;
use kube::{Api, Client};
use reeve_types::{Clock, ErrorChain};
use tokio::time::Instant;

use crate::error::ClientError;

const DURATION: Duration = Duration::from_secs(15);
const RENEW: Duration = Duration::from_secs(5);
const RETRY: Duration = Duration::from_secs(1);

/// The lease, as one candidate sees it.
#[derive(Debug)]
pub struct Lease {
    api: Api<Object>,
    name: String,
    holder: String,
    clock: Clock,
}

enum Taken {
    Ours(Box<Object>),
    Theirs(Box<Object>),
}

impl Lease {
    /// `holder` must be unique among the candidates.
    pub fn new(client: Client, namespace: &str, name: &str, holder: &str, clock: Clock) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            name: name.to_owned(),
            holder: holder.to_owned(),
            clock,
        }
    }

    /// Returns when this candidate leads.
    pub async fn acquire(&self) -> Held<'_> {
        let mut seen: Option<(Option<String>, Instant)> = None;
        loop {
            let expired = seen.as_ref().is_some_and(|(_, since)| since.elapsed() > DURATION);
            match self.attempt(expired).await {
                Ok(Taken::Ours(lease)) => {
                    return Held {
                        lease: self,
                        object: *lease,
                    };
                }
                Ok(Taken::Theirs(lease)) => {
                    let version = lease.metadata.resource_version;
                    if seen.as_ref().is_none_or(|(known, _)| *known != version) {
                        seen = Some((version, Instant::now()));
                    }
                }
                Err(error) => {
                    tracing::warn!(lease = self.name, error = %ErrorChain(&ClientError::from(error)), "cannot take the lease")
                }
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn attempt(&self, expired: bool) -> Result<Taken, kube::Error> {
        let Some(found) = self.api.get_opt(&self.name).await? else {
            let made = Object {
                metadata: ObjectMeta {
                    name: Some(self.name.clone()),
                    ..ObjectMeta::default()
                },
                spec: Some(self.spec(0)),
            };
            return Ok(Taken::Ours(Box::new(
                self.api.create(&PostParams::default(), &made).await?,
            )));
        };
        let spec = found.spec.clone().unwrap_or_default();
        let free = spec
            .holder_identity
            .as_deref()
            .is_none_or(|holder| holder.is_empty() || holder == self.holder);
        if !free && !expired {
            return Ok(Taken::Theirs(Box::new(found)));
        }
        let wanted = Object {
            spec: Some(self.spec(spec.lease_transitions.unwrap_or(0) + 1)),
            ..found
        };
        Ok(Taken::Ours(Box::new(
            self.api
                .replace(&self.name, &PostParams::default(), &wanted)
                .await?,
        )))
    }

    fn spec(&self, transitions: i32) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(self.holder.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: Some(self.now()),
            renew_time: Some(self.now()),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        }
    }

    fn now(&self) -> MicroTime {
        MicroTime(
            jiff::Timestamp::from_millisecond(self.clock.now().as_millis())
                .unwrap_or(jiff::Timestamp::UNIX_EPOCH),
        )
    }
}

/// A lease that is held.
#[derive(Debug)]
pub struct Held<'a> {
    lease: &'a Lease,
    object: Object,
}

impl Held<'_> {
    /// Renews until the lease is lost, then returns.
    pub async fn hold(&mut self) {
        let mut renewed = Instant::now();
        loop {
            tokio::time::sleep(if renewed.elapsed() < RENEW { RENEW } else { RETRY }).await;
            let mut wanted = self.object.clone();
            if let Some(spec) = &mut wanted.spec {
                spec.renew_time = Some(self.lease.now());
            }
            let parameters = PostParams::default();
            let write = self.lease.api.replace(&self.lease.name, &parameters, &wanted);
            match tokio::time::timeout(RENEW, write).await {
                Ok(Ok(object)) => {
                    self.object = object;
                    renewed = Instant::now();
                }
                Ok(Err(kube::Error::Api(status))) if status.is_conflict() || status.is_not_found() => return,
                Ok(Err(error)) => {
                    tracing::warn!(lease = self.lease.name, error = %ErrorChain(&ClientError::from(error)), "cannot renew the lease")
                }
                Err(_) => tracing::warn!(lease = self.lease.name, "renewing the lease takes too long"),
            }
            if renewed.elapsed() + RETRY > DURATION {
                return;
            }
        }
    }

    /// Gives the lease up, so that the next leader need not wait for it to run out.
    pub async fn release(mut self) {
        if let Some(spec) = &mut self.object.spec {
            spec.holder_identity = None;
        }
        if let Err(error) = self
            .lease
            .api
            .replace(&self.lease.name, &PostParams::default(), &self.object)
            .await
        {
            tracing::warn!(lease = self.lease.name, error = %ErrorChain(&ClientError::from(error)), "cannot release the lease");
        }
    }
}
