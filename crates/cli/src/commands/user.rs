//! `reeve user`: users of the account.

use reeve_api::user::{CreatedUser, User};
use reeve_types::Email;
use serde_json::json;

use super::find;
use super::objects::{self, Object};
use super::offboarding;
use crate::Context;
use crate::args::{self, CreateUser};
use crate::failure::Failure;
use crate::http::Api;

pub(super) const BASE: &str = "/api/v1/users";

impl Object for User {
    const KIND: &'static str = "user";

    fn name(&self) -> String {
        self.username.to_string()
    }

    fn cells(&self) -> Vec<(&'static str, String)> {
        let kind = match self.is_local {
            Some(true) => "local",
            Some(false) => "sso",
            None => "",
        };
        let numbers = self.posix.as_ref();
        vec![
            ("USER", self.username.to_string()),
            ("TYPE", kind.to_owned()),
            ("GROUPS", self.groups.as_deref().unwrap_or_default().join(",")),
            (
                "UID:GID",
                numbers.map_or_else(String::new, |it| format!("{}:{}", it.uid(), it.gid())),
            ),
            (
                "LAST LOGIN",
                self.last_login
                    .map_or_else(|| "never".to_owned(), |at| at.to_string()),
            ),
            ("ID", self.id.to_string()),
        ]
    }

    fn more_cells(&self) -> Vec<(&'static str, String)> {
        let password = match self.temporary_password {
            Some(true) => "temporary",
            Some(false) => "own",
            None => "",
        };
        vec![("PASSWORD", password.to_owned())]
    }
}

pub(super) async fn run(context: &mut Context, command: args::User) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let printer = &mut context.printer;
    match command {
        args::User::List => {
            let found = all(&api, &[("sortBy", "username")], "cannot list users").await?;
            objects::list(printer, &found)
        }
        args::User::Get(one) => {
            let what = format!("cannot show user `{}`", one.email);
            objects::show(printer, &find(&api, &one.email, &what).await?, "")
        }
        args::User::Create(arguments) => {
            let made = create(&api, &arguments).await?;
            printer.answer(&made, || {
                let kind = if arguments.keep_password {
                    "password"
                } else {
                    "temporary password"
                };
                format!(
                    "made user `{}`: {}\n{kind}, shown once: {}",
                    made.username,
                    made.id,
                    made.temp_password.expose()
                )
            })
        }
        args::User::Offboard(arguments) => offboarding::user(&api, printer, &arguments).await,
        args::User::Delete(one) => {
            let what = format!("cannot delete user `{}`", one.email);
            let found = find(&api, &one.email, &what).await?;
            let path = format!("{BASE}/{}", found.id);
            let (): () = api.delete(&path).await.map_err(|error| error.explain(what))?;
            let said = format!("user `{}` is deleted, with sessions and access rules", one.email);
            objects::deleted::<User>(printer, &[found.name()], &said)
        }
    }
}

/// All of them, or those that a query lets through.
pub(super) async fn all(api: &Api, query: &[(&str, &str)], what: &str) -> Result<Vec<User>, Failure> {
    find::silent_pages(api, BASE, query, |all| all)
        .await
        .map_err(|error| error.explain(what))
}

async fn find(api: &Api, email: &Email, what: &str) -> Result<User, Failure> {
    let filter = format!("username=={email}");
    let found = all(api, &[("filterBy", &filter)], what).await?;
    found
        .into_iter()
        .find(|user| user.username == *email)
        .ok_or_else(|| {
            Failure::refused(what)
                .cause(format!("there is no user `{email}` that you can see"))
                .hint("`reeve user list` shows them")
        })
}

async fn create(api: &Api, arguments: &CreateUser) -> Result<CreatedUser, Failure> {
    let posix = arguments.uid.zip(arguments.gid).map(|(uid, gid)| {
        let groups = arguments.groups.as_ref().map(|names| names.0.as_slice());
        json!({"uid": uid, "gid": gid, "supplementaryGroups": groups.unwrap_or_default()})
    });
    let mut body = json!({"email": arguments.email, "posix": posix});
    if let (true, Some(fields)) = (arguments.keep_password, body.as_object_mut()) {
        fields.insert("resetPassword".to_owned(), json!(false));
    }
    api.post(BASE, &body)
        .await
        .map_err(|error| error.explain(format!("cannot make user `{}`", arguments.email)))
}
