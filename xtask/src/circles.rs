//! Circles of imports between modules that stand side by side. A module and what is inside it may name each other; two
//! modules of one parent that do can only be read together, and neither can be taken out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Circles that are known: a crate, the modules (`*` is any), why. One that is there no more is a complaint.
const KNOWN: &[(&str, &[&str], &str)] = &[(
    "api",
    &["*"],
    "the table of operations is made of the rows that stand beside each resource's types",
)];

type Module = Vec<String>;
type Edges = BTreeMap<Module, BTreeSet<Module>>;

/// One line for each circle of each crate that is not known, and for each known one that is gone.
pub(crate) fn complaints(root: &Path) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    let mut met = BTreeSet::new();
    let mut crates: Vec<PathBuf> = fs::read_dir(root.join("crates"))
        .context("listing the crates")?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    crates.sort();
    for folder in crates {
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        for circle in circles(&modules(&folder.join("src"))?) {
            let names: Vec<String> = circle.iter().map(|module| module.join("::")).collect();
            let known = KNOWN.iter().position(|(of, modules, _)| {
                *of == name
                    && names
                        .iter()
                        .all(|one| modules.contains(&one.as_str()) || modules.contains(&"*"))
            });
            match known {
                Some(at) => drop(met.insert(at)),
                None => complaints.push(format!(
                    "`{name}`: {} name each other in a circle",
                    names.join(", ")
                )),
            }
        }
    }
    for (at, (of, modules, _)) in KNOWN.iter().enumerate() {
        if !met.contains(&at) {
            complaints.push(format!(
                "`{of}`: {} are no circle any more: take them out of xtask/src/circles.rs",
                modules.join(", ")
            ));
        }
    }
    Ok(complaints)
}

/// The modules of a crate and the code of each.
fn modules(source: &Path) -> Result<BTreeMap<Module, TokenStream>> {
    let mut modules = BTreeMap::new();
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder).with_context(|| format!("listing `{}`", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text =
                    fs::read_to_string(&path).with_context(|| format!("reading `{}`", path.display()))?;
                let code: TokenStream = text
                    .parse()
                    .map_err(|error| anyhow::anyhow!("`{}` is no Rust: {error}", path.display()))?;
                modules.insert(module_of(path.strip_prefix(source)?), code);
            }
        }
    }
    Ok(modules)
}

fn module_of(file: &Path) -> Module {
    let mut module: Module = file
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if module == ["lib"] || module == ["main"] {
        module.clear();
    }
    module
}

/// Every set of modules of which each reaches each other.
fn circles(modules: &BTreeMap<Module, TokenStream>) -> Vec<Vec<Module>> {
    let mut edges = Edges::new();
    for (module, code) in modules {
        let mut paths = Vec::new();
        named(code.clone(), &mut paths);
        for path in paths {
            if let Some((from, to)) = edge(module, &path, modules) {
                edges.entry(from).or_default().insert(to);
            }
        }
    }
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        edges.keys().map(|from| (from, reach(from, &edges))).collect();
    let mut circles: Vec<Vec<Module>> = Vec::new();
    for (from, to) in &reached {
        if !to.contains(*from) || circles.iter().any(|circle| circle.contains(from)) {
            continue;
        }
        let back = |other: &&Module| reached.get(*other).is_some_and(|its| its.contains(from));
        circles.push(to.iter().copied().filter(back).cloned().collect());
    }
    circles
}

fn reach<'e>(from: &'e Module, edges: &'e Edges) -> BTreeSet<&'e Module> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(module) = next.pop() {
        for to in edges.get(module).into_iter().flatten() {
            if reached.insert(to) {
                next.push(to);
            }
        }
    }
    reached
}

/// What a path in a module says of modules side by side: those below the last parent that both have in common. `None` where
/// one is inside the other.
fn edge(
    module: &Module,
    path: &[String],
    modules: &BTreeMap<Module, TokenStream>,
) -> Option<(Module, Module)> {
    let (first, mut rest) = path.split_first()?;
    let mut at: Module = match first.as_str() {
        "crate" => Module::new(),
        "self" => module.clone(),
        _ => module.split_last()?.1.to_vec(),
    };
    while let Some(("super", after)) = rest.split_first().map(|(word, after)| (word.as_str(), after)) {
        at.pop();
        rest = after;
    }
    at.extend_from_slice(rest);
    while !modules.contains_key(&at) {
        at.pop()?;
    }
    let common = module.iter().zip(&at).take_while(|(a, b)| a == b).count();
    let side = |of: &Module| of.get(..=common).map(<[String]>::to_vec);
    Some((side(module)?, side(&at)?))
}

/// Every path of the code that begins with `crate`, `self` or `super`, apart from attributes and modules of tests.
fn named(code: TokenStream, paths: &mut Vec<Vec<String>>) {
    let tokens: Vec<TokenTree> = code.into_iter().collect();
    let mut of_tests = false;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                if let Some(TokenTree::Group(attribute)) = tokens.get(at) {
                    of_tests |= attribute.stream().to_string() == "cfg (test)";
                    at += 1;
                }
            }
            TokenTree::Group(group) => {
                if !of_tests {
                    named(group.stream(), paths);
                }
                of_tests = false;
            }
            TokenTree::Ident(ident) if ["crate", "self", "super"].contains(&ident.to_string().as_str()) => {
                at = follow(&tokens, at, vec![ident.to_string()], paths);
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => of_tests = false,
            TokenTree::Punct(_) | TokenTree::Ident(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Goes on after a path's first words; answers where it ends.
fn follow(tokens: &[TokenTree], mut at: usize, mut path: Vec<String>, paths: &mut Vec<Vec<String>>) -> usize {
    let colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == ':');
    while colon(tokens.get(at)) && colon(tokens.get(at + 1)) {
        match tokens.get(at + 2) {
            Some(TokenTree::Ident(ident)) => path.push(ident.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ',');
                for branch in inner.split(is_comma) {
                    if let Some(TokenTree::Ident(first)) = branch.first() {
                        let mut path = path.clone();
                        path.push(first.to_string());
                        follow(branch, 1, path, paths);
                    }
                }
                return at + 3;
            }
            _ => break,
        }
        at += 3;
    }
    paths.push(path);
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let modules = files
            .iter()
            .map(|(file, text)| (module_of(Path::new(file)), text.parse().unwrap()))
            .collect();
        circles(&modules)
            .into_iter()
            .map(|circle| {
                circle
                    .iter()
                    .map(|module| module.join("::"))
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    }

    #[test]
    fn modules_side_by_side_that_name_each_other_are_a_circle() {
        let root = ("lib.rs", "mod a; mod b; mod c;");
        let a = ("a.rs", "use crate::{c::Z, b::{X, Y}};");
        assert_eq!(
            found(&[root, a, ("b.rs", "fn f() { crate::a::g() }"), ("c.rs", "")]),
            ["a b"]
        );
        assert_eq!(
            found(&[root, a, ("b.rs", "use super::c;"), ("c.rs", "use crate::a::Z;")]),
            ["a b c"]
        );
        let below = [
            root,
            a,
            ("b.rs", ""),
            ("c.rs", ""),
            ("b/x.rs", "use super::y::Y;"),
            ("b/y.rs", "use super::x::X;"),
        ];
        assert_eq!(found(&below), ["b::x b::y"]);
    }

    #[test]
    fn a_module_and_what_is_inside_it_and_tests_are_none() {
        for b in [
            "use crate::Root;",
            "#[cfg(test)] mod tests { use crate::a::Z; }",
            "/// See [`crate::a`].\nstruct X;",
        ] {
            let files = [
                ("lib.rs", "pub use b::X;"),
                ("a.rs", "use crate::b::X; mod x;"),
                ("a/x.rs", "use super::Z;"),
                ("b.rs", b),
            ];
            assert_eq!(found(&files), [""; 0], "{b}");
        }
    }
}
