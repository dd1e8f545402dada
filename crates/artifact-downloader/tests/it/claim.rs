//! A mounted claim.

use crate::rig::{kind, run, said};

#[tokio::test]
async fn the_files_of_a_claim_are_copied_and_nothing_outside_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mount, target) = (folder.path().join("mount"), folder.path().join("target"));
    std::fs::create_dir_all(mount.join("models/sub")).unwrap();
    std::fs::create_dir(&target).unwrap();
    std::fs::write(mount.join("models/a"), "a").unwrap();
    std::fs::write(mount.join("models/sub/b"), "bb").unwrap();
    let env = [("PVC_MOUNT", mount.to_str().unwrap().to_owned())];
    let output = run("pvc://claim/models", &target, &env).await;
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(std::fs::read(target.join("sub/b")).unwrap(), b"bb");
    assert_eq!(
        kind(&run("pvc://claim/none", &target, &env).await),
        ("missing".to_owned(), 1)
    );
    // Planted fault: without the look at where a link leads the file outside is copied.
    std::fs::write(folder.path().join("outside"), "secret").unwrap();
    std::os::unix::fs::symlink(folder.path().join("outside"), mount.join("models/link")).unwrap();
    assert_eq!(kind(&run("pvc://claim/models", &target, &env).await).0, "usage");
    assert!(!target.join("link").exists());
}
