//! `reeve bash`: `reeve exec -it NAME -- bash`.

use std::time::Duration;

use crate::Context;
use crate::args::{Bash, Exec};
use crate::commands::exec;
use crate::commands::session::{self, Ending};
use crate::failure::Failure;

const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn run(context: &mut Context, arguments: Bash) -> Result<(), Failure> {
    let which = &arguments.place.target.which;
    let (name, project) = (which.name.clone(), which.project.clone());
    let what = format!("cannot open a shell in `{name}` in project `{project}`");
    session::need_terminal(
        &what,
        &format!("without a terminal: `reeve exec -i {name} -p {project} -- bash`"),
    )?;
    let arguments = Exec {
        place: arguments.place,
        stdin: true,
        tty: true,
        pod_running_timeout: PATIENCE,
        words: vec!["bash".to_owned()],
    };
    match exec::start(context, &arguments, &what).await? {
        Ending::Code(code) => exec::passed_on(code),
        Ending::Lost(reason) if exec::is_missing(&reason) => Err(Failure::refused(what)
            .cause(format!("its image has no `bash`: {reason}"))
            .hint(format!("use `reeve exec -it {name} -p {project} -- sh`"))),
        Ending::Lost(reason) => Err(exec::not_run(&what, &reason)),
    }
}
