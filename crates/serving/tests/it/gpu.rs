use std::collections::BTreeMap;

use reeve_serving::gpu::{affinity, available, inventory, is_needed, normalize, of_device};
use serde_json::json;

use crate::things::of;

#[test]
fn models_are_normalized_as_the_contract_says() {
    for (text, expected) in [
        ("Instinct-MI325X", "MI325X"),
        ("RX7900-XTX", "RX7900"),
        ("AMD Instinct MI300X", "MI300X"),
        (" mi_300 ", "300"),
        ("", ""),
    ] {
        assert_eq!(normalize(text), expected, "{text}");
    }
    assert_eq!(of_device("0x74A1"), "MI300X");
    assert_eq!(of_device("ffff"), "AMD-FFFF");
}

#[test]
fn the_inventory_is_read_from_labels_in_the_order_of_the_contract() {
    let nodes: Vec<BTreeMap<String, String>> = of(json!([
        {"amd.com/gpu.device-id": "74a1", "amd.com/gpu.family": "ignored"},
        {"beta.amd.com/gpu.device-id.740f": "2", "amd.com/gpu.vram": "60G"},
        {"amd.com/gpu.device-id.74a5": "0"},
        {"beta.amd.com/gpu.family": "Instinct-MI250X"},
        {"kubernetes.io/hostname": "none"},
    ]));
    let gib = 1_i64 << 30;
    let found = inventory(&nodes);
    let expected = [("MI210", 60 * gib), ("MI250X", 128 * gib), ("MI300X", 192 * gib)];
    assert_eq!(
        found,
        expected.map(|(model, bytes)| (model.to_owned(), bytes)).into()
    );
}

#[test]
fn what_a_cluster_lacks_is_told_with_what_it_has() {
    let there = inventory([&of(json!({"amd.com/gpu.device-id": "740f"}))]);
    let ask = |gpu: serde_json::Value| available(&of(gpu), &there);
    assert_eq!(ask(json!({"requests": 1})), Ok(()));
    assert_eq!(ask(json!({"model": "Instinct-MI210"})), Ok(()));
    let missing = ask(json!({"model": "MI300X"})).unwrap_err();
    assert_eq!(
        (missing.reason(), missing.to_string().contains("MI210")),
        ("GPUNotAvailable", true)
    );
    assert_eq!(
        ask(json!({"requests": 1, "minVram": "100G"}))
            .unwrap_err()
            .reason(),
        "VRAMNotAvailable"
    );
    assert_eq!(
        available(&of(json!({})), &inventory([])).unwrap_err().reason(),
        "GPUNotAvailable"
    );
    assert!(is_needed(Some(&of(json!({"model": "x"})))) && !is_needed(Some(&of(json!({"minVram": "1G"})))));
    assert_eq!(affinity(Some(&of(json!({"requests": 1}))), &there), None);
}
