//! One image that stands in for a model's and for the downloader's: it answers as both are to answer.

use std::path::{Path, PathBuf};

use reeve_oci::{Entry, Image};

/// Its name. The arguments of its containers say what it does.
pub(crate) const NAME: &str = "local.test/stand-in-aim:1";
/// The same under another name, for models of the cluster: two models of one image are no choice.
pub(crate) const OF_CLUSTER: &str = "local.test/stand-in-aim:2";
/// An image that no node has.
pub(crate) const MISSING: &str = "local.test/not-there:1";

const ANSWER: &str = r#"[{"filename": "p.yaml", "profile": {"model": "org/tiny", "metadata": {"engine": "vllm", "gpu": "", "precision": "fp16", "gpu_count": 0, "metric": "latency", "type": "optimized"}, "engine_args": {"x": 1}, "env_vars": {}}, "models": [{"name": "org/tiny", "source": "hf://org/tiny", "size_gb": 0.5}]}]"#;

/// Downloads say with their URI what is to become of them.
fn script() -> String {
    format!(
        "#!/bin/sh\n\
         case \"$1\" in\n\
         dry-run) echo 'INFO starting [x]'; echo '{ANSWER}';;\n\
         */gated) echo 'Cannot access gated repo for url'; exit 1;;\n\
         */full) echo 'OSError: No space left on device'; exit 1;;\n\
         */gone) echo 'Repository Not Found for url'; exit 1;;\n\
         */stuck) echo 'download stalled: nothing came for 120 s'; exit 1;;\n\
         */broken) echo 'checksum mismatch of model.safetensors'; exit 1;;\n\
         hf://*|s3://*) echo weights > \"$TARGET_DIR/weights\"; echo done;;\n\
         esac\n"
    )
}

const CHECK_SIZE: &str =
    "#!/bin/sh\necho looking\necho \"{\\\"url\\\": \\\"$1\\\", \\\"sizeBytes\\\": 1048576}\"\n";

/// Writes the archives and answers where they are.
pub(crate) fn archives(folder: &Path) -> Vec<PathBuf> {
    let busybox = ["/bin/busybox", "/usr/bin/busybox"]
        .iter()
        .find_map(|path| std::fs::read(path).ok())
        .unwrap();
    let script = script();
    let entries = [
        Entry::folder("bin", 0o755),
        Entry::file("bin/sh", 0o755, busybox),
        Entry::file("bin/aim", 0o755, script.into_bytes()),
        Entry::file("check-size.sh", 0o755, CHECK_SIZE.as_bytes().to_vec()),
        Entry::folder("tmp", 0o1777),
    ];
    let archive = |name| {
        let image = Image {
            name,
            entries: &entries,
            entrypoint: &["/bin/aim"],
            user: "1000",
            ..Image::default()
        };
        image.write(folder).unwrap()
    };
    [NAME, OF_CLUSTER].map(archive).to_vec()
}
