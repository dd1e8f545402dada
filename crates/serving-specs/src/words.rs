//! Texts, by the place where they stand: those that can be followed, and those that no schema refuses and nobody can follow.

/// Of a place that is not listed.
pub(crate) const ANY: [&str; 9] = [
    "",
    "x",
    "a b",
    "UPPER",
    "with/slash",
    "line\nbreak",
    "{{x}}",
    "ünïcode 名",
    "a-long-one-that-is-cut-where-a-name-or-a-label-may-not-have-more-than-sixty-three-characters",
];

/// Amounts.
pub(crate) const QUANTITIES: [&str; 10] = [
    "0", "1", "2", "500m", "1Gi", "16Gi", "0.5Gi", "100Ki", "1e3", "2000m",
];
/// Amounts that are no number of bytes.
pub(crate) const WRONG_QUANTITIES: [&str; 4] = ["-1", "-5Gi", "1e30", "99999999999Ei"];

/// What can be followed, and what cannot.
type Words = (&'static [&'static str], &'static [&'static str]);

/// By the end of a path; the first that fits.
const PLACES: &[(&str, Words)] = &[
    (".runtimeConfigName", (&["", "default", "tuned"], &["missing"])),
    (".model.name", (&["served"], &["nobody", ""])),
    (".template.name", (&["t", ""], &["none"])),
    (".modelName", (&["m"], &["nobody"])),
    (".templateName", (&["files"], &["none"])),
    (
        ".filters.image",
        (&["team/tiny:1.0.0", "team/tiny", "team/*"], &["a b", ""]),
    ),
    (".image", (IMAGES, WRONG_IMAGES)),
    (".baseImage", (IMAGES, WRONG_IMAGES)),
    (".downloadImage", (IMAGES, WRONG_IMAGES)),
    (".modelDownloadImage", (IMAGES, WRONG_IMAGES)),
    (".registry", (&["registry.example", ""], &["127.0.0.1:1"])),
    (
        ".pathTemplate",
        (
            &["", "/a/{.metadata.name}", "/x/y"],
            &["{", "/", "{name}", "{.spec.nothing}"],
        ),
    ),
    (".requestTimeout", (&["", "30s", "1m30s"], &["soon", "-5s"])),
    (".syncInterval", (&["", "1h", "5m"], &["daily", "-1h", "5"])),
    (".imageMetadata.model.versions", (&ANY, &[])),
    (
        ".versions",
        (&[">=1.0", "1.2.x", "<2.0.0 || >3.0.0"], &["~1.2", "^1", "latest"]),
    ),
    (
        ".env.name",
        (
            &[
                "A",
                "B",
                "HF_TOKEN",
                "AIM_ENGINE_ARGS",
                "AIM_METRIC",
                "AWS_ENDPOINT_URL",
            ],
            &["", "A=B"],
        ),
    ),
    (
        ".env.value",
        (
            &["", "1", "{\"a\":{\"b\":1}}", "{\"a\":{\"c\":[2]}}", "$(A)", "ünï"],
            &[],
        ),
    ),
    (".serviceAccountName", (&["", "default", "own"], &["A B"])),
    (".storageClassName", (&["", "fast"], &["A B"])),
    (".defaultStorageClassName", (&["", "fast"], &["A B"])),
    (".gatewayRef.name", (&["g", "main"], &[])),
    (".gpu.model", (&["", "MI300X", "mi325x"], &[])),
    (".resourceName", (&["", "amd.com/gpu"], &["A B"])),
    (
        ".sourceUri",
        (&["hf://org/name", "hf://org/other", "s3://bucket/path"], &[]),
    ),
    (".modelId", (&["org/name", "org/other"], &[])),
    (".imagePullSecrets.name", (&["", "pull"], &[])),
    (
        ".recommendedDeployments.gpuModel",
        (&["", "MI300X", "Instinct-MI325X"], &[]),
    ),
    (
        ".recommendedDeployments.metric",
        (&["", "latency", "Throughput", "another"], &[]),
    ),
    (
        ".recommendedDeployments.precision",
        (&["", "fp16", "FP8", "int3"], &[]),
    ),
    (".profileId", (&["", "p1", "p2"], &[])),
    (".requests.*", (RESOURCES, &["A B"])),
    (".limits.*", (RESOURCES, &["A B"])),
    (".annotations.*", (&["a", "example.com/x"], &["A B"])),
];
const IMAGES: &[&str] = &["org/aim:1", "registry.example/team/tiny:1.2.0"];
const WRONG_IMAGES: &[&str] = &["a b", "org/aim:", "x@sha256", ""];
const RESOURCES: &[&str] = &["cpu", "memory", "amd.com/gpu"];

/// The words of a place.
pub(crate) fn of(path: &str) -> Option<Words> {
    let mut fitting = PLACES.iter().filter(|(end, _)| path.ends_with(end));
    fitting.next().map(|(_, words)| *words)
}

/// Whether a text cannot be followed where it stands.
pub fn is_wrong(path: &str, text: &str) -> bool {
    of(path).is_some_and(|(_, wrong)| wrong.contains(&text))
}
