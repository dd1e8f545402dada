//! The help is the reference of the command line: it does not change unseen.

use crate::receiver::{CLUSTER, Receiver};

#[tokio::test]
async fn the_help_of_every_command() {
    let receiver = Receiver::start().await;
    let mut all = String::new();
    for command in [
        &[][..],
        &["login"],
        &["login", "user"],
        &["login", "sso"],
        &["logout"],
        &["whoami"],
        &["project", "list"],
        &["project", "adopt"],
        &["cluster", "new-secret"],
        &["cluster", "set-endpoint"],
        &["cluster", "set-lowest-id"],
        &["credential", "list"],
        &["credential", "get"],
        &["credential", "create"],
        &["credential", "update"],
        &["credential", "delete"],
        &["secret-asset", "list"],
        &["secret-asset", "create"],
        &["secret-asset", "update"],
        &["user", "create"],
        &["user", "offboard"],
        &["application", "offboard"],
        &["group", "offboard"],
        &["department", "create"],
        &["project", "create"],
        &["project", "update"],
        &["cluster", "rename"],
        &["settings"],
        &["settings", "auto-redirect"],
        &["cluster", "get"],
        &["access-rule", "list"],
        &["access-rule", "create"],
        &["role", "get"],
        &["role", "create"],
        &["role", "update"],
        &["application", "create"],
        &["apply"],
        &["auth", "why"],
        &["auth", "check"],
        &["auth", "who-can"],
        &["auth", "what-can"],
        &["auth", "preview"],
        &["uid", "release"],
        &["service", "create"],
        &["service", "list"],
        &["service", "logs"],
        &["service", "wait"],
        &["model", "create"],
        &["model", "delete"],
        &["artifact", "create"],
        &["submit"],
        &["list"],
        &["describe"],
        &["logs"],
        &["exec"],
        &["bash"],
        &["attach"],
        &["port-forward"],
        &["delete"],
        &["config", "project"],
        &["kubeconfig", "set"],
    ] {
        let arguments: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        all += &receiver.shown(&arguments).await;
        all += "\n";
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn wrong_usage_ends_with_two_before_anybody_is_asked() {
    let receiver = Receiver::signed_in().await;
    for wrong in [
        &[][..],
        &["nonsense"],
        &["submit", "x"],
        &["submit", "Not_A_Name", "-p", "robots", "-i", "i"],
        &["submit", "x", "-p", "robots", "-i", "i", "-e", "hunter2"],
        &["submit", "x", "-p", "robots", "-i", "i", "-g", "many"],
        &["submit", "x", "-p", "robots", "-i", "i", "--command"],
        &["delete", "x"],
        &["logs", "x", "-p", "robots", "--tail", "-2"],
        &["logs", "x", "-p", "robots", "--since", "30"],
        &["exec", "x", "-p", "robots"],
        &["exec", "x", "-p", "robots", "--"],
        &["exec", "x", "-p", "robots", "ls", "-l"],
        &["exec", "x", "-p", "robots", "--pod-running-timeout", "soon", "ls"],
        &["bash", "x", "-p", "robots", "ls"],
        &["attach", "x", "-p", "robots", "--tty", "--no-tty"],
        &["port-forward", "x", "-p", "robots"],
        &["port-forward", "x", "-p", "robots", "--port", "80:0"],
        &[
            "port-forward",
            "x",
            "-p",
            "robots",
            "--port",
            "80",
            "--address",
            "example.org",
        ],
        &["kubernetes-token", "--cluster", "nonsense"],
        &["list", "-o", "html"],
        &["list", "-o", "name"],
        &["user", "create", "new@example.com", "-o", "name"],
        &["user", "create", "new@example.com", "--uid", "61000"],
        &["access-rule", "create", "--user", "a@example.com", "--role", "9"],
        &["access-rule", "create", "--role", "9", "--account"],
        &[
            "access-rule",
            "create",
            "--group",
            "g",
            "--role",
            "9",
            "--account",
            "--department",
            "2",
        ],
        &[
            "role",
            "create",
            "1001",
            "--description",
            "x",
            "--permission-set",
            "x",
        ],
        &["role", "update", "Readers"],
        &["project", "adopt"],
        &["project", "adopt", "../pods"],
        &["cluster", "set-lowest-id", CLUSTER, "0"],
        &["cluster", "set-lowest-id", CLUSTER, "1001"],
        &["cluster", "set-lowest-id", CLUSTER, "many"],
        &["cluster", "set-lowest-id", "demo", "20"],
        &["uid", "release", "0"],
        &["uid", "release", "65534"],
        &["uid", "release", "alice"],
    ] {
        let output = receiver.run(wrong).await;
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
    assert_eq!(receiver.calls().len(), 0);
}
