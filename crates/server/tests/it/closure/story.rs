//! What can happen: any sequence of steps, by some of those who are there.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;

use super::fixture::{GROUPS, PEOPLE, SETS};

const STEPS: usize = 40;

/// One thing that somebody does. Numbers are places in lists, as often round as it takes.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Give {
        by: usize,
        to: usize,
        role: usize,
        at: usize,
    },
    GiveMany {
        by: usize,
        to: Vec<usize>,
        role: usize,
        at: Vec<usize>,
    },
    Take {
        by: usize,
        rules: Vec<usize>,
    },
    MakeRole {
        by: usize,
        sets: Vec<usize>,
        in_clusters: usize,
    },
    EditRole {
        by: usize,
        role: usize,
        sets: Vec<usize>,
        in_clusters: usize,
    },
    EndRole {
        by: usize,
        role: usize,
        how: usize,
    },
    /// An identity provider says who somebody is, and of which groups.
    SignIn {
        who: usize,
        groups: usize,
    },
    MakeApplication {
        by: usize,
        name: usize,
    },
    NewSecret {
        by: usize,
        application: usize,
    },
    NewPassword {
        by: usize,
        person: usize,
    },
    /// And signs in with it.
    MakeKey {
        by: usize,
    },
    /// By somebody, or by the account's administrator.
    Offboard {
        by: Option<usize>,
        who: usize,
    },
    /// Somebody of the same email comes, and has nothing.
    ComeBack {
        person: usize,
    },
}

/// Who acts, of which groups an identity provider may say that they are, and what happens.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) acting: Vec<usize>,
    pub(super) groups: Vec<&'static str>,
    pub(super) steps: Vec<Step>,
}

pub(super) fn any_story() -> impl Strategy<Value = Story> {
    let acting = subsequence((0..PEOPLE.len() + 2).collect::<Vec<_>>(), 2..=5);
    let story = (
        acting,
        subsequence(GROUPS.to_vec(), 0..=3),
        vec(any_step(), STEPS),
    );
    story.prop_map(|(acting, groups, steps)| Story {
        acting,
        groups,
        steps,
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let any = || 0..1000_usize;
    let sets = || vec(0..SETS.len(), 1..=3);
    prop_oneof![
        10 => (any(), any(), any(), any()).prop_map(|(by, to, role, at)| Step::Give { by, to, role, at }),
        5 => (any(), vec(any(), 1..=2), any(), vec(any(), 1..=2))
            .prop_map(|(by, to, role, at)| Step::GiveMany { by, to, role, at }),
        4 => (any(), vec(any(), 1..=2)).prop_map(|(by, rules)| Step::Take { by, rules }),
        3 => (any(), sets(), any()).prop_map(|(by, sets, in_clusters)| Step::MakeRole { by, sets, in_clusters }),
        4 => (any(), any(), sets(), any())
            .prop_map(|(by, role, sets, in_clusters)| Step::EditRole { by, role, sets, in_clusters }),
        2 => (any(), any(), 0..3_usize).prop_map(|(by, role, how)| Step::EndRole { by, role, how }),
        4 => (any(), 0..8_usize).prop_map(|(who, groups)| Step::SignIn { who, groups }),
        3 => (any(), any()).prop_map(|(by, name)| Step::MakeApplication { by, name }),
        2 => (any(), any()).prop_map(|(by, application)| Step::NewSecret { by, application }),
        1 => (any(), any()).prop_map(|(by, person)| Step::NewPassword { by, person }),
        2 => any().prop_map(|by| Step::MakeKey { by }),
        2 => (proptest::option::weighted(0.4, any()), any()).prop_map(|(by, who)| Step::Offboard { by, who }),
        1 => any().prop_map(|person| Step::ComeBack { person }),
    ]
}
