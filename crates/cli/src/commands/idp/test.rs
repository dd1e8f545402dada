//! `reeve idp test`.

use reeve_api::identity_provider::{IdpTest, IdpTestName, IdpTestOutcome, IdpTestStep};

use crate::Context;
use crate::args;
use crate::failure::Failure;
use crate::http::Api;
use crate::printer::table;

pub(in crate::commands) async fn run(context: &mut Context, arguments: args::TestIdp) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let alias = arguments.alias;
    let what = format!("cannot test the identity provider `{alias}`");
    let test: IdpTest = api
        .get(&format!("/api/v1/idps/{alias}/test"), &[])
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&test, || shown(&test))?;
    if test.steps.iter().any(|it| it.outcome == IdpTestOutcome::Failed) {
        return Err(Failure::refused(format!(
            "nobody can sign in through the identity provider `{alias}`"
        )));
    }
    Ok(())
}

fn shown(test: &IdpTest) -> String {
    let mut text = table(["STEP", "OUTCOME", "FOUND", "TO DO"], test.steps.iter().map(row));
    if let Some(address) = &test.sign_in_url {
        text.push_str(&format!(
            "\nopen this within ten minutes, sign in there, and see what arrives:\n{address}"
        ));
    }
    text
}

fn row(step: &IdpTestStep) -> [String; 4] {
    let name = match step.step {
        IdpTestName::Metadata => "metadata",
        IdpTestName::Keys => "keys",
        IdpTestName::TokenEndpoint => "token endpoint",
        IdpTestName::Redirect => "redirect",
        IdpTestName::SignIn => "sign-in",
    };
    let outcome = match step.outcome {
        IdpTestOutcome::Ok => "ok",
        IdpTestOutcome::Failed => "failed",
        IdpTestOutcome::Open => "open",
    };
    let to_do = step.to_do.clone().unwrap_or_default();
    [name.to_owned(), outcome.to_owned(), step.found.clone(), to_do]
}
