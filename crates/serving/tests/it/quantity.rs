use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use reeve_serving::quantity::{bytes, canonical, display, known_size, of_bytes};

#[test]
fn quantities_are_canonical_as_go_prints_them() {
    for (text, expected) in [
        ("2000m", "2"),
        ("0.5Gi", "512Mi"),
        ("9094593249", "9094593249"),
        ("100Mi", "100Mi"),
        ("1024Ki", "1Mi"),
        ("1000", "1k"),
        ("1500m", "1500m"),
        ("1.5Gi", "1536Mi"),
        ("976.5625Ki", "1000000"),
        ("31.25Ki", "32000"),
        ("32000", "32k"),
        ("31.25Mi", "32000Ki"),
        ("0.5Ki", "512"),
        ("0.1m", "100u"),
        ("1e3", "1e3"),
        ("12e6", "12e6"),
        ("0", "0"),
        ("0Gi", "0"),
        ("-1.5", "-1500m"),
        ("+1", "1"),
        ("nonsense", "nonsense"),
    ] {
        assert_eq!(canonical(&Quantity(text.to_owned())), expected, "{text}");
    }
}

#[test]
fn zero_and_absent_sizes_are_the_same() {
    let quantity = |text: &str| Quantity(text.to_owned());
    assert_eq!(known_size(None), None);
    assert_eq!(known_size(Some(&quantity("0"))), None);
    assert_eq!(known_size(Some(&quantity("many"))), None);
    assert_eq!(known_size(Some(&quantity("1Ki"))), Some(1024));
    assert_eq!(bytes(&quantity("-1")), None);
    assert_eq!(of_bytes(1 << 29).0, "512Mi");
    assert_eq!(of_bytes(9_094_593_249).0, "9094593249");
}

#[test]
fn sizes_for_people() {
    let gib = 1_i64 << 30;
    for (bytes, expected) in [
        (0, "0 B"),
        (1023, "1023 B"),
        (42 * gib, "42 GiB"),
        (1536 * gib, "1.5 TiB"),
        (200 * gib + gib / 3, "200 GiB"),
    ] {
        assert_eq!(display(bytes), expected);
    }
}
