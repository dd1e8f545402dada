//! Pages of fifty out of 10,000 projects, 50,000 access rules and 20,000 users, by REST, on each database.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reeve_e2e::{ADMINISTRATOR, Process, Rest};
use reeve_testkit::{Postgres, SERVER_ENVIRONMENT};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::figures::{Series, now};
use crate::seed;

/// What the slowest page but one in a hundred may take.
const BAR: Duration = Duration::from_millis(100);
const PASSWORD: &str = "Bench-Pass-1!";

/// Where a list is, and how it is asked for fifty.
const QUERIES: [&str; 6] = [
    "limit=50",
    "limit=50&offset=4000",
    "limit=50&sortBy=createdAt&sortOrder=desc",
    "limit=50&search=77",
    "limit=50&filterBy=createdBy=@admin",
    "limit=50&sortOrder=desc",
];
const PROJECT_QUERIES: [&str; 6] = [
    "limit=50",
    "limit=50&offset=4000",
    "limit=50&sortBy=createdAt&sortOrder=desc",
    "limit=50&search=77",
    "limit=50&filterBy=parentName==department-7,phase==Ready",
    "limit=50&sortBy=name",
];
const USER_QUERIES: [&str; 6] = [
    "limit=50",
    "limit=50&offset=4000",
    "limit=50&sortBy=creationTime&sortOrder=desc",
    "limit=50&search=77",
    "limit=50&filterBy=username=@user-1",
    "limit=50&sortOrder=desc",
];

/// Times `pages` pages of each list, asked by whom sees everything and by whom sees one department; first on SQLite, then on
/// PostgreSQL.
///
/// # Errors
/// A server does not start, or a list is refused.
pub async fn run(dir: &Path, pages: usize) -> Result<Vec<Series>> {
    let mut all = Vec::new();
    let sqlite = Database::Sqlite(dir.join("lists-sqlite"));
    all.extend(
        timed(
            &sqlite,
            [
                "lists of 50 projects, SQLite",
                "lists of 50 rules, SQLite",
                "lists of 50 users, SQLite",
            ],
            pages,
        )
        .await?,
    );
    let own = tokio::task::spawn_blocking(Postgres::start).await??;
    let postgres = Database::Postgres(dir.join("lists-postgres"), own);
    all.extend(
        timed(
            &postgres,
            [
                "lists of 50 projects, PostgreSQL",
                "lists of 50 rules, PostgreSQL",
                "lists of 50 users, PostgreSQL",
            ],
            pages,
        )
        .await?,
    );
    Ok(all)
}

/// Each list's slowest page but one in a hundred, beside the bar.
pub fn table(series: &[Series]) -> String {
    let mut text = String::new();
    for one in series {
        if let Some(p99) = one.quantile(990) {
            let verdict = if p99 < BAR { "" } else { "  OVER" };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{:<58} p99 {:.1} ms, bar {} ms{verdict}",
                one.name,
                p99.as_secs_f64() * 1000.0,
                BAR.as_millis()
            );
        }
    }
    text
}

enum Database {
    Sqlite(PathBuf),
    Postgres(PathBuf, Postgres),
}

impl Database {
    fn dir(&self) -> &Path {
        match self {
            Self::Sqlite(dir) | Self::Postgres(dir, _) => dir,
        }
    }

    async fn seed(&self) -> Result<()> {
        match self {
            Self::Sqlite(dir) => {
                let connection = rusqlite::Connection::open(dir.join("server/reeve.db"))?;
                for statement in seed::STATEMENTS {
                    connection.execute_batch(statement)?;
                }
            }
            Self::Postgres(_, postgres) => {
                let mut connection = PgConnection::connect(&postgres.url("postgres")).await?;
                for statement in seed::STATEMENTS {
                    sqlx::query(statement).execute(&mut connection).await?;
                }
                // As its own housekeeping does within a minute: statistics, and which rows everybody sees.
                sqlx::query("VACUUM (ANALYZE)").execute(&mut connection).await?;
                connection.close().await?;
            }
        }
        Ok(())
    }

    async fn serve(&self) -> Result<(Process, Rest)> {
        let dir = self.dir();
        std::fs::create_dir_all(dir).with_context(|| format!("making `{}`", dir.display()))?;
        let password = dir.join("admin-password");
        std::fs::write(&password, PASSWORD)?;
        std::fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        let announcement = dir.join("server.json");
        let _ = std::fs::remove_file(&announcement);
        let mut arguments: Vec<String> = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--admin-username",
            ADMINISTRATOR,
        ]
        .map(str::to_owned)
        .into();
        for (flag, path) in [
            ("--data-dir", &dir.join("server")),
            ("--admin-password-file", &password),
            ("--announce-file", &announcement),
        ] {
            arguments.extend([flag.to_owned(), path.display().to_string()]);
        }
        if let Self::Postgres(_, postgres) = self {
            arguments.extend(["--database-url".to_owned(), postgres.url("postgres")]);
        }
        let program = reeve_testkit::binary("reeve-server")?;
        let environment = SERVER_ENVIRONMENT.map(|(name, value)| (name, value.to_owned()));
        let log = dir.join("server.log");
        let mut server = Process::start_with("reeve-server", &program, &arguments, &environment, &log)?;
        let announced = server.announced(&announcement).await?;
        let text = |key: &str| {
            announced
                .get(key)
                .and_then(Value::as_str)
                .context("the server's announcement")
        };
        let rest = Rest::new(text("url")?, Path::new(text("caFile")?))?;
        let admin = rest.sign_in(ADMINISTRATOR, PASSWORD).await?;
        Ok((server, admin))
    }
}

async fn timed(database: &Database, names: [&'static str; 3], pages: usize) -> Result<Vec<Series>> {
    let _ = std::fs::remove_dir_all(database.dir());
    let (server, admin) = database.serve().await?;
    seed::make_one_of_each(&admin).await?;
    server.stop().await;
    database.seed().await?;
    let (server, admin) = database.serve().await?;
    let reader = reader_of_one_department(&admin).await?;
    let lists = [
        ("/api/v1/org-unit/projects", PROJECT_QUERIES),
        ("/api/v1/authorization/access-rules", QUERIES),
        ("/api/v1/users", USER_QUERIES),
    ];
    let mut all = Vec::new();
    for (name, (path, queries)) in names.into_iter().zip(lists) {
        let mut series = Series::new(name);
        for number in 0..pages {
            let query = queries.get(number % queries.len()).copied().unwrap_or_default();
            // Users belong to the account: the other caller may not list them.
            let caller = if number % 2 == 1 && path != "/api/v1/users" {
                &reader
            } else {
                &admin
            };
            let begun = now();
            let answer = caller.get(&format!("{path}?{query}")).await?;
            series.samples.push(begun.elapsed());
            ensure!(answer.status == 200, "{path}?{query}: {}", answer.body);
        }
        all.push(series);
    }
    server.stop().await;
    Ok(all)
}

/// Somebody who may read all there is in one department.
async fn reader_of_one_department(admin: &Rest) -> Result<Rest> {
    let user = json!({"email": "reader@bench.example", "resetPassword": false});
    let made = admin.post("/api/v1/users", user).await?.expect(201)?;
    let rule = json!({"subjectId": "reader@bench.example", "subjectType": "user", "roleId": 1,
        "scopeId": seed::A_DEPARTMENT, "scopeType": "department"});
    admin
        .post("/api/v1/authorization/access-rules", rule)
        .await?
        .expect(201)?;
    let password = made
        .get("tempPassword")
        .and_then(Value::as_str)
        .context("the user's password")?;
    admin.sign_in("reader@bench.example", password).await
}
