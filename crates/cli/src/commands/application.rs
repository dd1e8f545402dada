//! `reeve application`: service accounts.

use reeve_api::service_account::{CreatedServiceAccount, ServiceAccount};
use reeve_types::ServiceAccountName;
use serde_json::json;

use super::find;
use super::objects::{self, Object};
use super::offboarding;
use crate::Context;
use crate::args::Application;
use crate::failure::Failure;
use crate::http::Api;

const BASE: &str = "/api/v1/service-accounts";

impl Object for ServiceAccount {
    const KIND: &'static str = "application";

    fn name(&self) -> String {
        self.name.to_string()
    }

    fn cells(&self) -> Vec<(&'static str, String)> {
        let last = self.last_login.map(|at| at.to_string());
        vec![
            ("APPLICATION", self.name.to_string()),
            ("ENABLED", if self.enabled { "yes" } else { "no" }.to_owned()),
            ("LAST LOGIN", last.unwrap_or_else(|| "never".to_owned())),
            ("CREATED BY", self.created_by.clone()),
            ("ID", self.id.to_string()),
        ]
    }
}

pub(super) async fn run(context: &mut Context, command: Application) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let printer = &mut context.printer;
    match command {
        Application::List => objects::list(printer, &all(&api, &[], "cannot list applications").await?),
        Application::Get(one) => {
            let what = format!("cannot show application `{}`", one.name);
            objects::show(printer, &named(&api, &one.name, &what).await?, "")
        }
        Application::Create(one) => {
            let what = format!("cannot make application `{}`", one.name);
            let made: CreatedServiceAccount = api
                .post(BASE, &json!({"name": one.name}))
                .await
                .map_err(|error| error.explain(what))?;
            printer.answer(&made, || {
                format!(
                    "made application `{}`: {}\nclient id: {}\nsecret, shown once: {}",
                    made.name,
                    made.id,
                    made.client_id,
                    made.client_secret.expose()
                )
            })
        }
        Application::Delete(one) => {
            let what = format!("cannot delete application `{}`", one.name);
            let found = named(&api, &one.name, &what).await?;
            let path = format!("{BASE}/{}", found.id);
            let (): () = api.delete(&path).await.map_err(|error| error.explain(what))?;
            let said = format!("application `{}` is deleted, with its access rules", one.name);
            objects::deleted::<ServiceAccount>(printer, &[found.name()], &said)
        }
        Application::Offboard(arguments) => offboarding::application(&api, printer, &arguments).await,
    }
}

/// All of them, or those that a query lets through.
async fn all(api: &Api, query: &[(&str, &str)], what: &str) -> Result<Vec<ServiceAccount>, Failure> {
    find::silent_pages(api, BASE, query, |all| all)
        .await
        .map_err(|error| error.explain(what))
}

async fn named(api: &Api, name: &ServiceAccountName, what: &str) -> Result<ServiceAccount, Failure> {
    let filter = format!("name=={name}");
    let found = all(api, &[("filterBy", &filter)], what).await?;
    found.into_iter().find(|it| it.name == *name).ok_or_else(|| {
        Failure::refused(what)
            .cause(format!("there is no application `{name}` that you can see"))
            .hint("`reeve application list` shows them")
    })
}
