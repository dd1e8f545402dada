//! The fuzzer: libFuzzer over one target of `reeve-hostile-input`, which the environment variable `FUZZ_TARGET` names. `hack/fuzz.sh`
//! builds and starts it.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use reeve_hostile_input::{TARGETS, Target, corpus};

static CHOSEN: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names no target");
    TARGETS
        .iter()
        .find(|it| it.name == name)
        .unwrap_or_else(|| panic!("there is no target `{name}`"))
});

fuzz_target!(|input: &[u8]| {
    if let Err(broken) = (CHOSEN.check)(input) {
        panic!("{}: {broken}; the input: {}", CHOSEN.name, corpus::line(input));
    }
});
