//! `reeve access-key`: secrets with which programs act as you.

use reeve_api::access_key::{AccessKey, AccessKeys, CreatedAccessKey};
use reeve_api::service_account::NewSecret;
use reeve_types::AccessKeyName;
use serde_json::json;

use super::objects::{self, Object};
use crate::Context;
use crate::args::AccessKeys as Command;
use crate::failure::Failure;
use crate::http::Api;

const BASE: &str = "/api/v1/access-keys";

impl Object for AccessKey {
    const KIND: &'static str = "access-key";

    fn name(&self) -> String {
        self.name.to_string()
    }

    fn cells(&self) -> Vec<(&'static str, String)> {
        let last = self.last_login.map(|at| at.to_string());
        vec![
            ("ACCESS KEY", self.name.to_string()),
            ("LAST LOGIN", last.unwrap_or_else(|| "never".to_owned())),
            (
                "CREATED",
                self.created_at.map(|at| at.to_string()).unwrap_or_default(),
            ),
            ("CLIENT ID", self.client_id.clone()),
        ]
    }
}

pub(super) async fn run(context: &mut Context, command: Command) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let printer = &mut context.printer;
    match command {
        Command::List => objects::list(printer, &all(&api, "cannot list access keys").await?),
        Command::Create(one) => {
            let what = format!("cannot make access key `{}`", one.name);
            let made: CreatedAccessKey = api
                .post(BASE, &json!({"name": one.name}))
                .await
                .map_err(|error| error.explain(what))?;
            printer.answer(&made, || {
                format!(
                    "made access key `{}`: what shows it acts as you\nclient id: {}\nsecret, shown once: {}",
                    made.name,
                    made.client_id,
                    made.client_secret.expose()
                )
            })
        }
        Command::Regenerate(one) => {
            let what = format!("cannot give access key `{}` a new secret", one.name);
            let found = find(&api, &one.name, &what).await?;
            let made: NewSecret = api
                .post(&format!("{BASE}/{}/secret", found.id), &json!({}))
                .await
                .map_err(|error| error.explain(what))?;
            printer.answer(&made, || {
                format!(
                    "access key `{}` has a new secret; the old one and its tokens are worth nothing\nclient id: {}\n\
                     secret, shown once: {}",
                    found.name,
                    found.client_id,
                    made.client_secret.expose()
                )
            })
        }
        Command::Delete(one) => {
            let what = format!("cannot delete access key `{}`", one.name);
            let found = find(&api, &one.name, &what).await?;
            let path = format!("{BASE}/{}", found.id);
            let (): () = api.delete(&path).await.map_err(|error| error.explain(what))?;
            let said = format!(
                "access key `{}` is deleted; its tokens are worth nothing",
                one.name
            );
            objects::deleted::<AccessKey>(printer, &[found.name()], &said)
        }
    }
}

async fn all(api: &Api, what: &str) -> Result<Vec<AccessKey>, Failure> {
    let all: AccessKeys = api.get(BASE, &[]).await.map_err(|error| error.explain(what))?;
    Ok(all.access_keys)
}

async fn find(api: &Api, name: &AccessKeyName, what: &str) -> Result<AccessKey, Failure> {
    let all = all(api, what).await?;
    all.into_iter().find(|it| it.name == *name).ok_or_else(|| {
        Failure::refused(what)
            .cause(format!("you have no access key `{name}`"))
            .hint("`reeve access-key list` shows yours")
    })
}
