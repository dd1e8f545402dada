//! `reeve service`, `reeve model` and `reeve artifact`: the kinds of model serving, by the person's own kubeconfig.
//!
//! They ask no control plane: model serving works on clusters that have none. What they may do is what RBAC lets the person do, and a
//! refusal is the API server's own.

mod create;
mod delete;
mod describe;
mod kind;
mod list;
mod logs;
mod server;
mod standing;
mod wait;

use crate::Context;
use crate::args::{Artifact, Model, Service};
use crate::failure::Failure;
use kind::{ARTIFACT, CLUSTER_MODEL, MODEL, SERVICE};

pub(super) async fn service(context: &mut Context, command: Service) -> Result<(), Failure> {
    match command {
        Service::List(arguments) => list::run(context, &[&SERVICE], &arguments).await,
        Service::Describe(one) => describe::run(context, &[&SERVICE], &one).await,
        Service::Logs(arguments) => logs::run(context, &[&SERVICE], &arguments.one, &arguments.part).await,
        Service::Create(arguments) => create::service(context, &arguments).await,
        Service::Wait(arguments) => wait::run(context, &[&SERVICE], &arguments.one, &arguments.until).await,
        Service::Delete(arguments) => delete::run(context, &SERVICE, &arguments).await,
    }
}

pub(super) async fn model(context: &mut Context, command: Model) -> Result<(), Failure> {
    // As a service looks for them: the namespace's, else the cluster's.
    let either = |of_cluster: bool| {
        if of_cluster {
            &[&CLUSTER_MODEL][..]
        } else {
            &[&MODEL, &CLUSTER_MODEL][..]
        }
    };
    match command {
        Model::List(arguments) => list::run(context, &[&MODEL, &CLUSTER_MODEL], &arguments).await,
        Model::Describe(model) => describe::run(context, either(model.of_cluster), &model.one).await,
        Model::Logs(it) => logs::run(context, either(it.model.of_cluster), &it.model.one, &it.part).await,
        Model::Create(arguments) => create::model(context, &arguments).await,
        Model::Wait(it) => wait::run(context, either(it.model.of_cluster), &it.model.one, &it.until).await,
        Model::Delete(it) => {
            let kind = if it.of_cluster { &CLUSTER_MODEL } else { &MODEL };
            delete::run(context, kind, &it.models).await
        }
    }
}

pub(super) async fn artifact(context: &mut Context, command: Artifact) -> Result<(), Failure> {
    match command {
        Artifact::List(arguments) => list::run(context, &[&ARTIFACT], &arguments).await,
        Artifact::Describe(one) => describe::run(context, &[&ARTIFACT], &one).await,
        Artifact::Logs(arguments) => logs::run(context, &[&ARTIFACT], &arguments.one, &arguments.part).await,
        Artifact::Create(arguments) => create::artifact(context, &arguments).await,
        Artifact::Wait(arguments) => wait::run(context, &[&ARTIFACT], &arguments.one, &arguments.until).await,
        Artifact::Delete(arguments) => delete::run(context, &ARTIFACT, &arguments).await,
    }
}
