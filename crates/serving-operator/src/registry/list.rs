//! What a registry has: tags of a repository, repositories.

use reqwest::header;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::credentials::Keyring;
use super::error::RegistryError;
use super::fetch::{Answer, Session, Wanted, name, origin};
use super::{Registry, hub_name};

/// How many pages of a list are read.
const PAGES: usize = 200;
/// How many entries of a list are kept.
const ENTRIES: usize = 20_000;
/// How many entries are asked for at once.
const PAGE: usize = 100;
const HUB: &str = "hub.docker.com";
const GITHUB: &str = "api.github.com";

#[derive(Deserialize)]
struct Tags {
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Catalog {
    repositories: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct HubPage {
    next: Option<String>,
    #[serde(default)]
    results: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

fn parse<T: DeserializeOwned>(answer: &Answer, url: &Url, what: &'static str) -> Result<T, RegistryError> {
    serde_json::from_slice(&answer.bytes).map_err(|_| RegistryError::Unreadable {
        host: name(url),
        what,
    })
}

fn bounded(found: usize, url: &Url, what: &'static str) -> Result<(), RegistryError> {
    if found > ENTRIES {
        return Err(RegistryError::TooLarge {
            host: name(url),
            what,
            most: ENTRIES,
        });
    }
    Ok(())
}

/// The next page, which has to be of the same origin: a list that goes on elsewhere is none.
fn next(answer: &Answer, at: &Url) -> Option<Url> {
    let links = answer
        .headers
        .get_all(header::LINK)
        .iter()
        .filter_map(|link| link.to_str().ok());
    let mut found = links.flat_map(|link| link.split(',')).filter_map(|link| {
        let (target, relation) = link.split_once(';')?;
        let is_next = relation
            .replace([' ', '"'], "")
            .to_ascii_lowercase()
            .contains("rel=next");
        let target = target.trim().strip_prefix('<')?.strip_suffix('>')?;
        is_next.then(|| at.join(target).ok()).flatten()
    });
    found.next().filter(|url| origin(url) == origin(at))
}

/// Every page of a list whose pages are linked (distribution specification, "Listing tags").
async fn pages(
    session: &mut Session<'_>,
    first: Url,
    what: &'static str,
    read: impl Fn(&Answer, &Url) -> Result<Vec<String>, RegistryError>,
) -> Result<Vec<String>, RegistryError> {
    let mut all = Vec::new();
    let mut at = Some(first);
    for _ in 0..PAGES {
        let Some(url) = at else { return Ok(all) };
        let answer = session.get(&url, Wanted::list(what)).await?;
        all.extend(read(&answer, &url)?);
        bounded(all.len(), &url, what)?;
        at = next(&answer, &url);
    }
    match at {
        None => Ok(all),
        Some(url) => Err(RegistryError::TooLarge {
            host: name(&url),
            what,
            most: PAGES,
        }),
    }
}

pub(super) async fn tags(
    registry: &Registry,
    host: &str,
    repository: &str,
    keyring: &Keyring,
) -> Result<Vec<String>, RegistryError> {
    let what = "the list of tags";
    let (mut session, repository) = registry.session(host, repository, keyring)?;
    let mut first = session.address(&repository, "tags/list");
    first.set_query(Some(&format!("n={PAGE}")));
    pages(&mut session, first, what, |answer, url| {
        Ok(parse::<Tags>(answer, url, what)?.tags.unwrap_or_default())
    })
    .await
}

pub(super) async fn repositories(
    registry: &Registry,
    host: &str,
    pattern: &str,
    keyring: &Keyring,
) -> Result<Vec<String>, RegistryError> {
    match host {
        "docker.io" => of_hub(registry, pattern).await,
        "ghcr.io" => of_github(registry, pattern, keyring).await,
        _ => {
            let what = "the list of repositories";
            let (mut session, _) = registry.session(host, "", keyring)?;
            let mut first = session.address("", "_catalog");
            first.set_query(Some(&format!("n={PAGE}")));
            pages(&mut session, first, what, |answer, url| {
                Ok(parse::<Catalog>(answer, url, what)?
                    .repositories
                    .unwrap_or_default())
            })
            .await
        }
    }
}

/// The first part of a pattern, without what stands for any run.
fn owner(pattern: &str) -> &str {
    pattern
        .split('/')
        .next()
        .unwrap_or_default()
        .trim_end_matches('*')
}

/// Docker Hub has no catalogue, and a list of its own.
async fn of_hub(registry: &Registry, pattern: &str) -> Result<Vec<String>, RegistryError> {
    let what = "the list of repositories";
    let owner = owner(pattern);
    let base = registry.fetch.base(HUB)?;
    let mut url = base.clone();
    if let Ok(mut parts) = url.path_segments_mut() {
        parts
            .pop_if_empty()
            .extend(["v2", "namespaces", owner, "repositories"]);
    }
    url.set_query(Some(&format!("page_size={PAGE}")));
    let mut session = registry.fetch.session(base.clone(), None);
    let mut all = Vec::new();
    for _ in 0..PAGES {
        let answer = session.get(&url, Wanted::list(what)).await?;
        let page: HubPage = parse(&answer, &url, what)?;
        all.extend(page.results.iter().map(|found| format!("{owner}/{}", found.name)));
        bounded(all.len(), &url, what)?;
        let following = page.next.and_then(|next| url.join(&next).ok());
        match following.filter(|next| origin(next) == origin(&base)) {
            Some(next) => url = next,
            None => return Ok(all),
        }
    }
    Err(RegistryError::TooLarge {
        host: name(&url),
        what,
        most: PAGES,
    })
}

/// ghcr.io has no catalogue: GitHub lists an organisation's packages to who has a token.
async fn of_github(
    registry: &Registry,
    pattern: &str,
    keyring: &Keyring,
) -> Result<Vec<String>, RegistryError> {
    let what = "the list of packages";
    let token = keyring.of("ghcr.io", pattern).ok_or(RegistryError::NoToken)?;
    let owner = owner(pattern);
    let base = registry.fetch.base(GITHUB)?;
    let mut session = registry.fetch.session(base.clone(), None);
    session.bear(token.password.expose());
    let mut all = Vec::new();
    for page in 1..=PAGES {
        let mut url = base.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(["orgs", owner, "packages"]);
        }
        url.set_query(Some(&format!(
            "package_type=container&per_page={PAGE}&page={page}"
        )));
        let answer = session.get(&url, Wanted::list(what)).await?;
        let found: Vec<Named> = parse(&answer, &url, what)?;
        all.extend(found.iter().map(|package| format!("{owner}/{}", package.name)));
        bounded(all.len(), &url, what)?;
        if found.len() < PAGE {
            break;
        }
    }
    Ok(all)
}

/// Whether a text is the name of a repository, or none: a path that leads elsewhere in the API is neither.
pub(super) fn is_path(repository: &str) -> bool {
    let letters = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    let good = |part: &str| !part.is_empty() && !part.starts_with('.') && letters(part);
    repository.is_empty() || repository.split('/').all(good)
}

impl Registry {
    pub(super) fn session<'a>(
        &'a self,
        host: &str,
        repository: &str,
        keyring: &Keyring,
    ) -> Result<(Session<'a>, String), RegistryError> {
        let base = self.fetch.base(host)?;
        if !is_path(repository) {
            return Err(RegistryError::Unreadable {
                host: host.to_owned(),
                what: "the name of the repository",
            });
        }
        // Of the host that is asked, where there are such; else those of the registry in whose place it is asked.
        let credentials = keyring
            .of(&name(&base), repository)
            .or_else(|| keyring.of(host, repository));
        Ok((
            self.fetch.session(base.clone(), credentials),
            hub_name(host, repository),
        ))
    }
}
