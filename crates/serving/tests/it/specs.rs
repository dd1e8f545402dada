//! 2,000 generated specs of each kind, one after the other: a pass over whatever the schema takes ends, gives the same twice, comes to
//! rest, writes a status and objects that their schemas take, tells what cannot be followed, and the spec of the beginning gives the
//! state of the beginning. Without a cluster: what a pass plans is put into a map, under the rules of the API server.
//!
//! The same on a real API server: `serving-operator/tests/it/specs.rs`.

mod passes;
mod stage;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use reeve_serving_specs::conditions::{Row, Told, row_of, rows};
use reeve_serving_specs::wrong::{untold, wrong};
use reeve_serving_specs::{KINDS, Specs};
use serde_json::{Value, json};

use stage::Stage;

const SEED: u64 = 0x5eed;
const MANY: u64 = 2_000;

/// Goes to a spec from the seed's state, as far as a living object can, and back; where it cannot, an object is made of the spec, too.
/// Answers what is wrong.
fn there_and_back(
    specs: &Specs,
    stage: &mut Stage,
    seed: &Value,
    first: &Value,
    spec: &Value,
) -> Result<(), String> {
    let stored = specs.admitted(spec);
    let changed = specs.admitted(&specs.changeable(seed, spec));
    if changed != stored {
        let mut made = Stage::new(specs.kind, &stored);
        made.rest()?;
        told(specs, &stored, &made)?;
    }
    if let Some(why) = specs.refusal(&changed, Some(seed)) {
        return Err(format!("the generator's fault: {why}"));
    }
    stage.become_(&changed);
    stage.rest()?;
    told(specs, &changed, stage)?;
    stage.become_(seed);
    stage.rest()?;
    let now = stage.state();
    let differs = first
        .as_object()
        .into_iter()
        .flatten()
        .find(|(key, value)| now.get(*key) != Some(value));
    if let Some((key, value)) = differs {
        return Err(format!(
            "back at the seed `{key}` is {:#}\nand was {value:#}",
            now[key]
        ));
    }
    let more = now
        .as_object()
        .into_iter()
        .flatten()
        .find(|(key, _)| first.get(*key).is_none() && !stage::stays(key));
    if let Some((key, _)) = more {
        return Err(format!("back at the seed `{key}` is there, which was not"));
    }
    stage.keep_only(first);
    Ok(())
}

/// Whatever a spec leads to, no status has a condition or a reason that is declared nowhere.
fn is_declared(kind: &str, status: &Value) -> Result<(), String> {
    static ROWS: LazyLock<Vec<Row>> = LazyLock::new(rows);
    let text = |condition: &Value, key: &str| condition[key].as_str().unwrap_or_default().to_owned();
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let told = conditions.map(|condition| Told {
        condition: text(condition, "type"),
        holds: condition["status"] == "True",
        reason: text(condition, "reason"),
    });
    let told: Vec<Told> = told.collect();
    match told
        .iter()
        .find(|word| row_of(&ROWS, kind, word, &told).is_none())
    {
        Some(word) => Err(format!("declared nowhere: {word:?}")),
        None => Ok(()),
    }
}

fn told(specs: &Specs, spec: &Value, stage: &Stage) -> Result<(), String> {
    let status = stage.status();
    let kind = match specs.kind {
        config if config.ends_with("RuntimeConfig") => "AIMService",
        kind => kind,
    };
    is_declared(kind, &status)?;
    let untold = untold(&wrong(specs.kind, spec), &status);
    let ready = status["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|c| c["type"] == "Ready");
    let ready = ready.is_some_and(|ready| ready["status"] == "True");
    if !stage.refused.is_empty() && ready {
        return Err(format!("ready, although these were refused: {:?}", stage.refused));
    }
    match untold.is_empty() {
        true => Ok(()),
        false => Err(format!("nobody tells {untold:?} in {:#}", status["conditions"])),
    }
}

fn every_spec(kind: &'static str) {
    let specs = Specs::of(kind);
    let (mut wrong_ones, mut different) = (0, std::collections::BTreeSet::new());
    for half in 0..2 {
        let seed = specs.seed(half);
        let mut stage = Stage::new(kind, &seed);
        stage
            .rest()
            .unwrap_or_else(|why| panic!("{kind}, the seed {seed}: {why}"));
        let first = stage.state();
        for number in (half..MANY).step_by(2) {
            let spec = specs.spec(SEED, number);
            wrong_ones += usize::from(!wrong(kind, &specs.admitted(&spec)).is_empty());
            different.insert(spec.to_string());
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                there_and_back(&specs, &mut stage, &seed, &first, &spec)
            }));
            match outcome {
                Ok(Ok(())) => {}
                Ok(Err(why)) => panic!("{kind} {number}: {why}\nseed {seed}\nspec {spec:#}"),
                Err(_) => panic!("{kind} {number}: a panic\nseed {seed}\nspec {spec:#}"),
            }
        }
    }
    // The generator does its part: hardly a spec comes twice, and many cannot be followed.
    assert!(
        different.len() > 1_000,
        "{kind}: {} different specs",
        different.len()
    );
    assert!(wrong_ones > 50, "{kind}: {wrong_ones} that cannot be followed");
}

macro_rules! kinds {
    ($($name:ident $kind:literal)*) => {
        $(#[test]
        fn $name() {
            every_spec($kind);
        })*

        #[test]
        fn no_kind_is_forgotten() {
            assert_eq!(KINDS, [$($kind),*]);
        }
    };
}

kinds! {
    artifacts_come_back_to_their_seed "AIMArtifact"
    cluster_models_come_back_to_their_seed "AIMClusterModel"
    cluster_model_sources_come_back_to_their_seed "AIMClusterModelSource"
    cluster_runtime_configs_come_back_to_their_seed "AIMClusterRuntimeConfig"
    cluster_service_templates_come_back_to_their_seed "AIMClusterServiceTemplate"
    models_come_back_to_their_seed "AIMModel"
    runtime_configs_come_back_to_their_seed "AIMRuntimeConfig"
    services_come_back_to_their_seed "AIMService"
    service_templates_come_back_to_their_seed "AIMServiceTemplate"
    template_caches_come_back_to_their_seed "AIMTemplateCache"
}

/// Planted faults, each of which the check has to see: a status that remembers, a child that stays, silence.
#[test]
fn the_check_sees_what_does_not_come_back_and_what_nobody_tells() {
    let specs = Specs::of("AIMService");
    let seed = specs.seed(0);
    let mut stage = Stage::new("AIMService", &seed);
    stage.rest().unwrap();
    let first = stage.state();
    let spec = json!({"model": {"name": "served"}, "replicas": 2});
    let try_it = |stage: &mut Stage, spec: &Value| there_and_back(&specs, stage, &seed, &first, spec);
    assert_eq!(try_it(&mut stage, &spec), Ok(()));
    stage.forgetful_gateway = true;
    let off = json!({"model": {"name": "served"}, "routing": {"enabled": false}, "replicas": 2});
    assert_eq!(try_it(&mut stage, &off), Ok(()), "the seed has a route");
    let second = Specs::of("AIMService");
    let plain = second.seed(1);
    let mut routed = Stage::new("AIMService", &plain);
    routed.rest().unwrap();
    let before = routed.state();
    let on = json!({"model": {"name": "served"}, "routing": {"enabled": true, "gatewayRef": {"name": "g"}}});
    routed.forgetful_gateway = true;
    let stays = there_and_back(&second, &mut routed, &plain, &before, &on).unwrap_err();
    assert!(stays.contains("HTTPRoute"), "{stays}");
    // A gateway that is not named, told of a spec that names one: the seed's conditions say nothing of it.
    let silent = untold(
        &wrong("AIMService", &json!({"model": {"name": "nobody"}})),
        &stage.status(),
    );
    assert_eq!(silent.len(), 1);
}

#[test]
fn the_same_number_gives_the_same_spec() {
    for kind in KINDS {
        let specs = Specs::of(kind);
        assert_eq!(specs.spec(SEED, 7), Specs::of(kind).spec(SEED, 7));
        assert_ne!(specs.spec(SEED, 7), specs.spec(SEED + 1, 7));
        let stored = specs.admitted(&specs.spec(SEED, 7));
        assert_eq!(specs.refusal(&stored, None), None);
    }
}
