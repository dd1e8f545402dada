//! Lists: what a store answers out of its database is what reading everything would have come to.

mod listed;
mod oracle;
mod policies;
mod setting;

use reeve_authz::Principal;
use reeve_types::list::{Column, ListQuery, Operator};

use self::listed::{Access, Listed};
use self::oracle::{Line, apply};
use self::setting::Setting;
use super::organization::Organization;
pub use policies::policies_are_found_by_kind_scope_and_what_may_be_seen;

/// How many queries each list is asked, of each caller.
const QUERIES: usize = 60;

/// Texts that mean something to SQL, to `LIKE`, to collations or to the grammar itself.
const AWKWARD: &[&str] = &[
    "%",
    "_",
    "\\",
    "100%",
    "a_b",
    "Ü",
    "straße",
    "İ",
    "ROB",
    "-",
    " ",
    "'",
    "\"",
    "' OR 1=1 --",
    "1",
    "10",
    "007",
    "-1",
    "+1",
    "9223372036854775807",
    "9223372036854775808",
    "2023-11-14T22:13:20Z",
    "2023-11-14",
    "true",
    "$1",
    "?",
    "NULL",
    "a,b",
    "\u{10FFFF}",
    "creating",
    "ready",
];

/// Random queries, of people who see all, something and little: the same rows in the same order as reading everything, cutting it
/// to what may be seen, filtering, sorting and paging it in memory.
pub async fn lists_are_what_reading_everything_comes_to(organization: Organization) {
    let mut setting = Setting::make(organization).await;
    for caller in setting.callers() {
        compare::<listed::Projects>(&mut setting, &caller).await;
        compare::<listed::Departments>(&mut setting, &caller).await;
        compare::<listed::Rules>(&mut setting, &caller).await;
        compare::<listed::DeletedRules>(&mut setting, &caller).await;
        compare::<listed::Workloads>(&mut setting, &caller).await;
    }
    let admin = setting.organization.admin.clone();
    compare::<listed::Users>(&mut setting, &admin).await;
    compare::<listed::ServiceAccounts>(&mut setting, &admin).await;
    compare::<listed::Events>(&mut setting, &admin).await;
}

async fn compare<L: Listed>(setting: &mut Setting, caller: &Principal) {
    let Some(access) = L::access(&setting.organization, caller) else {
        return;
    };
    let lines = L::lines(setting, caller, &access).await;
    let mut asked = 0;
    while asked < QUERIES {
        let pairs = query::<L::Columns>(setting, &lines);
        // What the grammar refuses reaches no store.
        let Ok(query) = ListQuery::<L::Columns>::parse(&pairs) else {
            continue;
        };
        asked += 1;
        agree::<L>(
            setting,
            &access,
            &lines,
            &query,
            &format!("{pairs:?} of {caller:?}"),
        )
        .await;
    }
}

/// One query, answered by the store and by the naive evaluator.
async fn agree<L: Listed>(
    setting: &Setting,
    access: &Access,
    lines: &[Line],
    query: &ListQuery<L::Columns>,
    asked: &str,
) {
    let (ids, next, total) = apply(lines, query);
    let store = setting.organization.store.as_ref();
    let found = L::page(store, access, query).await.unwrap();
    assert_eq!(found, (ids, next), "{} with {asked}", std::any::type_name::<L>());
    let counted = L::count(store, access, query).await.unwrap();
    assert_eq!(counted, total, "{} with {asked}", std::any::type_name::<L>());
}

/// A query string: a page, perhaps an order, perhaps some clauses, perhaps a search.
fn query<C: Column>(setting: &mut Setting, lines: &[Line]) -> Vec<(String, String)> {
    let mut pairs = vec![("limit".to_owned(), (1 + setting.draw(7)).to_string())];
    let mut add = |name: &str, value: String| pairs.push((name.to_owned(), value));
    add("offset", setting.draw(8).to_string());
    let fields: Vec<_> = C::SPEC.fields().collect();
    if setting.draw(3) > 0 {
        add("sortBy", setting.pick(&fields).to_string());
    }
    if setting.draw(2) > 0 {
        add("sortOrder", "desc".to_owned());
    }
    for _ in 0..setting.draw(3) {
        let field = setting.pick(&fields).to_string();
        let operator: Operator = *setting.pick(C::SPEC.operators);
        let value = value(setting, lines, &field);
        add("filterBy", format!("{field}{}{value}", operator.as_str()));
    }
    if setting.draw(3) == 0 {
        let column = *setting.pick(C::ALL);
        add("search", value(setting, lines, column.facts().name));
    }
    pairs
}

/// Something that a row holds there, a piece of it, or something awkward.
fn value(setting: &mut Setting, lines: &[Line], field: &str) -> String {
    if lines.is_empty() || setting.draw(4) == 0 {
        return (*setting.pick(AWKWARD)).to_owned();
    }
    let line = setting.pick(lines).clone();
    let shown = line
        .fields
        .get(field)
        .map(oracle::Field::shown)
        .unwrap_or_default();
    let letters: Vec<_> = shown.chars().collect();
    if letters.is_empty() || setting.draw(2) == 0 {
        return shown;
    }
    let from = setting.draw(letters.len());
    letters.iter().skip(from).take(1 + setting.draw(4)).collect()
}

/// Many rows that are alike in what they are sorted by: page after page gives every row once, and the other direction the same
/// backwards. Planted fault: an order that ends with the column sorted by.
pub async fn pages_neither_repeat_nor_lose_a_row(organization: Organization) {
    let setting = Setting::make(organization).await;
    all_pages::<listed::Projects>(&setting).await;
    all_pages::<listed::Rules>(&setting).await;
    all_pages::<listed::Workloads>(&setting).await;
    all_pages::<listed::Users>(&setting).await;
    all_pages::<listed::ServiceAccounts>(&setting).await;
}

async fn all_pages<L: Listed>(setting: &Setting) {
    let access = L::access(&setting.organization, &setting.organization.admin).unwrap();
    let whole = L::whole(setting, &access, None, false).await;
    let sorted = |mut ids: Vec<String>| {
        ids.sort_unstable();
        ids
    };
    for column in L::Columns::ALL.iter().filter(|column| column.facts().named) {
        let up = L::whole(setting, &access, Some(*column), false).await;
        let mut down = L::whole(setting, &access, Some(*column), true).await;
        down.reverse();
        assert_eq!(up, down, "{column:?}");
        assert_eq!(sorted(up), sorted(whole.clone()), "{column:?}");
    }
}

/// The comparison above can fail: the naive evaluator does not agree with a store that leaves a row out, shows one that may not be
/// seen, takes `%` for a pattern, or forgets what breaks ties.
pub async fn the_comparison_of_lists_notices_faults(organization: Organization) {
    let mut setting = Setting::make(organization).await;
    let admin = setting.organization.admin.clone();
    let everything = listed::Projects::access(&setting.organization, &admin).unwrap();
    let all = listed::Projects::lines(&setting, &admin, &everything).await;
    let store = setting.organization.store.clone();
    let store = store.as_ref();
    let query = ListQuery::default();
    let found = listed::Projects::page(store, &everything, &query)
        .await
        .unwrap()
        .0;
    assert_eq!(apply(&all, &query).0, found);
    // A row left out.
    let (_, but_one) = all.split_first().unwrap();
    assert_ne!(apply(but_one, &query).0, found);
    // The scopes left out: what is found of everything, where little may be seen.
    for caller in setting.callers().iter().skip(1) {
        if let Some(access) = listed::Projects::access(&setting.organization, caller) {
            let lines = listed::Projects::lines(&setting, caller, &access).await;
            assert_ne!(apply(&lines, &query).0, found, "{caller:?}");
        }
    }
    // A pattern where letters are meant.
    let pairs = [("search".to_owned(), "%".to_owned())];
    let percent = ListQuery::<<listed::Projects as Listed>::Columns>::parse(&pairs).unwrap();
    let (ids, ..) = apply(&all, &percent);
    assert!(!ids.is_empty() && ids.len() < found.len(), "{ids:?}");
}
