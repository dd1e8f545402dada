//! `reeve passkey`: the passkeys of a local user. They are made in a browser.

use reeve_api::passkey::{Passkey, Passkeys};
use reeve_types::PasskeyName;

use super::objects::{self, Object};
use crate::Context;
use crate::args::Passkeys as Command;
use crate::failure::Failure;
use crate::http::Api;

const BASE: &str = "/api/v1/me/passkeys";

impl Object for Passkey {
    const KIND: &'static str = "passkey";

    fn name(&self) -> String {
        self.name.to_string()
    }

    fn cells(&self) -> Vec<(&'static str, String)> {
        let last = self.last_used.map(|at| at.to_string());
        let state = match (self.suspended, self.backed_up) {
            (true, _) => "suspended since a restore",
            (false, true) => "kept in more than one place",
            (false, false) => "kept in one place",
        };
        vec![
            ("PASSKEY", self.name.to_string()),
            ("LAST USED", last.unwrap_or_else(|| "never".to_owned())),
            ("CREATED", self.created_at.to_string()),
            ("STATE", state.to_owned()),
        ]
    }
}

pub(super) async fn run(context: &mut Context, command: Command) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let printer = &mut context.printer;
    match command {
        Command::List => objects::list(printer, &all(&api, "cannot list passkeys").await?),
        Command::Remove(one) => {
            let what = format!("cannot take away passkey `{}`", one.name);
            let found = find(&api, &one.name, &what).await?;
            let path = format!("{BASE}/{}", found.id);
            let (): () = api.delete(&path).await.map_err(|error| error.explain(what))?;
            let said = format!(
                "passkey `{}` is taken away: it signs you in no more, and sessions go on",
                one.name
            );
            objects::deleted::<Passkey>(printer, &[found.name()], &said)
        }
    }
}

async fn all(api: &Api, what: &str) -> Result<Vec<Passkey>, Failure> {
    let all: Passkeys = api.get(BASE, &[]).await.map_err(|error| error.explain(what))?;
    Ok(all.passkeys)
}

async fn find(api: &Api, name: &PasskeyName, what: &str) -> Result<Passkey, Failure> {
    let all = all(api, what).await?;
    all.into_iter().find(|it| it.name == *name).ok_or_else(|| {
        Failure::refused(what)
            .cause(format!("you have no passkey `{name}`"))
            .hint("`reeve passkey list` shows yours")
    })
}
