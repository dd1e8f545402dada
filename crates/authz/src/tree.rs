//! The organization, interned: each scope is a small number that knows its ancestors.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::scope::Scope;

/// A scope, interned. Numbers of removed scopes are given again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct ScopeIndex(u32);

impl ScopeIndex {
    /// The account.
    pub(crate) const ROOT: Self = Self(0);

    pub(crate) const fn slot(self) -> usize {
        self.0 as usize
    }
}

/// A scope and what is above it, account first: one to four of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    // Unused places repeat the last one, so that a search needs no length.
    steps: [ScopeIndex; 4],
    len: u8,
}

impl Path {
    const ROOT: Self = Self {
        steps: [ScopeIndex::ROOT; 4],
        len: 1,
    };

    /// The path one step further down; `None` below a project.
    fn down(self, to: ScopeIndex) -> Option<Self> {
        let [a, b, c, _] = self.steps;
        let steps = match self.len {
            1 => [a, to, to, to],
            2 => [a, b, to, to],
            3 => [a, b, c, to],
            _ => return None,
        };
        Some(Self {
            steps,
            len: self.len + 1,
        })
    }

    /// Account first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = ScopeIndex> + '_ {
        self.steps.iter().take(usize::from(self.len)).copied()
    }

    pub(crate) fn contains(&self, at: ScopeIndex) -> bool {
        let [a, b, c, d] = self.steps;
        (a == at) | (b == at) | (c == at) | (d == at)
    }

    pub(crate) const fn last(&self) -> ScopeIndex {
        let [_, _, _, last] = self.steps;
        last
    }
}

/// The scopes that exist.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    by_scope: HashMap<Scope, ScopeIndex, RandomState>,
    free: Vec<ScopeIndex>,
}

#[derive(Clone, Debug)]
struct Node {
    scope: Scope,
    path: Path,
    children: Vec<ScopeIndex>,
}

impl Tree {
    /// An account with nothing in it.
    pub(crate) fn new() -> Self {
        Self {
            nodes: vec![Node {
                scope: Scope::Account,
                path: Path::ROOT,
                children: Vec::new(),
            }],
            by_scope: HashMap::from_iter([(Scope::Account, ScopeIndex::ROOT)]),
            free: Vec::new(),
        }
    }

    pub(crate) fn at(&self, scope: Scope) -> Option<ScopeIndex> {
        self.by_scope.get(&scope).copied()
    }

    pub(crate) fn path(&self, scope: Scope) -> Option<&Path> {
        if scope == Scope::Account {
            self.path_at(ScopeIndex::ROOT)
        } else {
            self.path_at(self.at(scope)?)
        }
    }

    pub(crate) fn path_at(&self, at: ScopeIndex) -> Option<&Path> {
        self.nodes.get(at.slot()).map(|node| &node.path)
    }

    pub(crate) fn scope(&self, at: ScopeIndex) -> Option<Scope> {
        self.scope_at(at.slot())
    }

    /// The scope with this slot.
    pub(crate) fn scope_at(&self, slot: usize) -> Option<Scope> {
        self.nodes.get(slot).map(|node| node.scope)
    }

    pub(crate) fn scopes(&self) -> impl Iterator<Item = Scope> + '_ {
        self.by_scope.keys().copied()
    }

    /// What is directly above; nothing above the account.
    pub(crate) fn parent(&self, scope: Scope) -> Option<Scope> {
        let path = self.path(scope)?;
        self.scope(path.iter().rev().nth(1)?)
    }

    /// Adds a scope; `None` where it cannot stand: an unknown parent, or a scope that is there already.
    pub(crate) fn add(&mut self, scope: Scope, parent: Scope) -> Option<ScopeIndex> {
        let above = self.at(parent)?;
        if self.by_scope.contains_key(&scope) {
            return None;
        }
        let at = match self.free.last() {
            Some(at) => *at,
            None => ScopeIndex(u32::try_from(self.nodes.len()).ok()?),
        };
        let node = Node {
            scope,
            path: self.path_at(above)?.down(at)?,
            children: Vec::new(),
        };
        if self.free.pop().is_some() {
            *self.nodes.get_mut(at.slot())? = node;
        } else {
            self.nodes.push(node);
        }
        self.by_scope.insert(scope, at);
        self.nodes.get_mut(above.slot())?.children.push(at);
        Some(at)
    }

    /// Everything from `scope` down, itself first.
    pub(crate) fn below(&self, scope: Scope) -> Vec<ScopeIndex> {
        let mut found: Vec<ScopeIndex> = self.at(scope).into_iter().collect();
        let mut next = 0;
        while let Some(at) = found.get(next) {
            let children = self.nodes.get(at.slot()).map_or(&[][..], |node| &node.children);
            found.extend_from_slice(children);
            next += 1;
        }
        found
    }

    /// Removes `scope` and everything below; the account itself stays.
    pub(crate) fn remove(&mut self, scope: Scope) {
        let parent = self.parent(scope).and_then(|parent| self.at(parent));
        let gone = self.below(scope);
        if let (Some(parent), Some(top)) = (parent, gone.first())
            && let Some(node) = self.nodes.get_mut(parent.slot())
        {
            node.children.retain(|child| child != top);
        }
        for at in gone {
            let Some(node) = self.nodes.get_mut(at.slot()) else {
                continue;
            };
            node.children = Vec::new();
            if at != ScopeIndex::ROOT {
                self.by_scope.remove(&node.scope);
                self.free.push(at);
            }
        }
    }
}
