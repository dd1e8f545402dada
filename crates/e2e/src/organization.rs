//! The people of the demo and the benches: departments `vision` and `language`, three projects, alice, dave, bob and the application `ci`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use reeve_testkit::{binary, wait_until};
use serde_json::{Value, json};

use crate::arguments::text;
use crate::command_line::CommandLine;
use crate::rest::Rest;
use crate::stack::Stack;

/// The namespace of project `robots`, where alice works.
pub const NAMESPACE: &str = "reeve-robots";

/// A person with a password of her own.
#[derive(Debug, Clone)]
pub struct Person {
    /// Her email.
    pub username: String,
    /// Shown once when she was made.
    pub password: String,
    /// Her id.
    pub id: String,
}

/// An application with its secret.
#[derive(Debug, Clone)]
pub struct Application {
    /// Equal to its name.
    pub client_id: String,
    /// Shown once when it was made.
    pub client_secret: String,
}

/// What the demo made.
pub struct Organization {
    /// alice, dave and bob by their first names.
    pub people: BTreeMap<&'static str, Person>,
    /// `ci`.
    pub applications: BTreeMap<&'static str, Application>,
    /// Department ids by name.
    pub departments: BTreeMap<&'static str, String>,
    /// Project ids by name.
    pub projects: BTreeMap<&'static str, String>,
}

impl Organization {
    /// Makes all of it through REST and waits until the cluster has the projects.
    ///
    /// # Errors
    /// The control plane or the cluster refuses; the error shows the answer.
    pub async fn make(stack: &Stack) -> Result<Self> {
        let admin = &stack.admin;
        let mut departments = BTreeMap::new();
        for name in ["vision", "language"] {
            departments.insert(name, create_department(stack, name).await?);
        }
        let mut projects = BTreeMap::new();
        for (name, department) in [
            ("robots", "vision"),
            ("captions", "language"),
            ("speech", "language"),
        ] {
            let parent = departments.get(department).context("department just made")?;
            projects.insert(name, create_project(stack, name, parent).await?);
        }
        let mut people = BTreeMap::new();
        people.insert(
            "alice",
            create_user(
                admin,
                "alice",
                Some(json!({"uid": 70012, "gid": 5000, "supplementaryGroups": [5001]})),
            )
            .await?,
        );
        people.insert(
            "dave",
            create_user(admin, "dave", Some(json!({"uid": 70014, "gid": 5000}))).await?,
        );
        people.insert("bob", create_user(admin, "bob", None).await?);
        let mut applications = BTreeMap::new();
        applications.insert("ci", create_application(admin, "ci").await?);

        let robots = projects.get("robots").context("project just made")?;
        let language = departments.get("language").context("department just made")?;
        for first_name in ["alice", "dave"] {
            let person = people.get(first_name).context("person just made")?;
            create_rule(
                admin,
                "user",
                &person.username,
                "L1 researcher",
                "project",
                robots,
            )
            .await?;
        }
        create_rule(
            admin,
            "user",
            "bob@reeve.example",
            "Viewer",
            "department",
            language,
        )
        .await?;
        create_rule(admin, "service-account", "ci", "L1 researcher", "project", robots).await?;
        for id in projects.values() {
            wait_until_ready(admin, id).await?;
        }
        Ok(Self {
            people,
            applications,
            departments,
            projects,
        })
    }

    /// A person by first name.
    ///
    /// # Errors
    /// There is nobody of that name.
    pub fn person(&self, first_name: &str) -> Result<&Person> {
        self.people
            .get(first_name)
            .with_context(|| format!("nobody is called `{first_name}`"))
    }

    /// Signs all people in with the command line and writes their kubeconfigs.
    ///
    /// # Errors
    /// The command line refuses; the error shows what it said.
    pub fn sign_everybody_in(&self, stack: &Stack) -> Result<()> {
        for (first_name, person) in &self.people {
            let reeve = command_line_of(stack, first_name)?;
            let kubeconfig = kubeconfig_of(stack, first_name).display().to_string();
            reeve
                .sign_in(
                    stack.admin.url(),
                    &stack.ca_file,
                    &person.username,
                    &person.password,
                )
                .and_then(|_| reeve.must(&["kubeconfig", "set", "--kubeconfig", &kubeconfig]))
                .with_context(|| format!("setting up {first_name}"))?;
        }
        Ok(())
    }
}

/// Makes a department and answers its id.
///
/// # Errors
/// The answer is not 201.
pub async fn create_department(stack: &Stack, name: &str) -> Result<String> {
    let body = json!({"name": name, "clusterId": stack.cluster_id, "resources": []});
    text(
        &stack
            .admin
            .post("/api/v1/org-unit/departments", body)
            .await?
            .expect(201)?,
        "id",
    )
}

/// Makes a project and answers its id.
///
/// # Errors
/// The answer is not 201.
pub async fn create_project(stack: &Stack, name: &str, department: &str) -> Result<String> {
    let body = json!({"name": name, "clusterId": stack.cluster_id, "parentId": department, "resources": []});
    text(
        &stack
            .admin
            .post("/api/v1/org-unit/projects", body)
            .await?
            .expect(201)?,
        "id",
    )
}

/// Makes a local user `<first name>@reeve.example`, whose password is no temporary one.
///
/// # Errors
/// The answer is not 201.
pub async fn create_user(admin: &Rest, first_name: &str, posix: Option<Value>) -> Result<Person> {
    let mut body = json!({"email": format!("{first_name}@reeve.example"), "resetPassword": false});
    if let (Some(posix), Some(fields)) = (posix, body.as_object_mut()) {
        fields.insert("posix".to_owned(), posix);
    }
    let answer = admin.post("/api/v1/users", body).await?.expect(201)?;
    Ok(Person {
        username: text(&answer, "username")?,
        password: text(&answer, "tempPassword")?,
        id: text(&answer, "id")?,
    })
}

/// Makes a service account.
///
/// # Errors
/// The answer is not 201.
pub async fn create_application(admin: &Rest, name: &str) -> Result<Application> {
    let answer = admin
        .post("/api/v1/service-accounts", json!({"name": name}))
        .await?
        .expect(201)?;
    Ok(Application {
        client_id: text(&answer, "clientId")?,
        client_secret: text(&answer, "clientSecret")?,
    })
}

/// Makes an access rule and answers its id.
///
/// # Errors
/// The role is unknown, or the answer is not 201.
pub async fn create_rule(
    admin: &Rest,
    subject_type: &str,
    subject: &str,
    role: &str,
    scope_type: &str,
    scope: &str,
) -> Result<i64> {
    let body = json!({"subjectType": subject_type, "subjectId": subject, "roleId": role_id(admin, role).await?,
        "scopeType": scope_type, "scopeId": scope});
    let answer = admin
        .post("/api/v1/authorization/access-rules", body)
        .await?
        .expect(201)?;
    answer
        .get("id")
        .and_then(Value::as_i64)
        .with_context(|| format!("no id in {answer}"))
}

/// Clients look roles up by their exact name in the list.
async fn role_id(admin: &Rest, name: &str) -> Result<i64> {
    let roles = admin.get("/api/v1/authorization/roles").await?.expect(200)?;
    let mut all = roles.as_array().into_iter().flatten();
    all.find(|role| role.get("name").and_then(Value::as_str) == Some(name))
        .and_then(|role| role.get("id").and_then(Value::as_i64))
        .with_context(|| format!("no role is called `{name}`"))
}

/// Waits until a project has its namespace.
///
/// # Errors
/// It does not become Ready in time.
pub async fn wait_until_ready(admin: &Rest, project: &str) -> Result<()> {
    let path = format!("/api/v1/org-unit/projects/{project}");
    wait_until("the project to become Ready", async || {
        let answer = admin.get(&path).await?.expect(200)?;
        Ok((answer.pointer("/status/phase").and_then(Value::as_str) == Some("Ready")).then_some(()))
    })
    .await
}

/// The kubeconfig that [`Organization::sign_everybody_in`] has `reeve kubeconfig set` write for a person.
pub fn kubeconfig_of(stack: &Stack, first_name: &str) -> PathBuf {
    home_of(stack, first_name).join("kubeconfig")
}

/// The command line of a person, with a settings folder of their own.
///
/// # Errors
/// The program was not built, or the folder cannot be made.
pub fn command_line_of(stack: &Stack, first_name: &str) -> Result<CommandLine> {
    let home = home_of(stack, first_name);
    std::fs::create_dir_all(&home).with_context(|| format!("making `{}`", home.display()))?;
    Ok(CommandLine::new(&binary("reeve")?, &home.join("reeve")))
}

/// Where a person's settings and kubeconfig live.
pub fn home_of(stack: &Stack, first_name: &str) -> PathBuf {
    stack.dir().join("people").join(first_name)
}
