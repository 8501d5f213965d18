//! A mount namespace of a test's own: the test starts itself again under `unshare -m`, so that what it mounts is seen by
//! nobody else and gone when it ends, however it ends.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Tells the test that it runs within.
const WITHIN: &str = "AMANAH_WITHIN_NAMESPACE";

/// Runs `body` within a mount namespace, or says why that cannot be done here. `test` is the full name of the calling test.
pub(super) fn within(test: &str, tools: &[&str], body: impl FnOnce() -> Result<()>) {
    if std::env::var_os(WITHIN).is_some() {
        return body().unwrap();
    }
    if let Err(reason) = possible(tools) {
        println!("{test}: not run here: {reason:#}");
        return;
    }
    let program = std::env::current_exe().unwrap();
    // A folder that something is mounted in cannot be removed from within.
    let ground = tempfile::tempdir().unwrap();
    let ran = Command::new("unshare")
        .args(["-m", "--propagation", "private"])
        .arg(program)
        .args(["--exact", test, "--include-ignored", "--nocapture"])
        .env(WITHIN, "yes")
        .env("TMPDIR", ground.path())
        .status();
    ground.close().unwrap();
    assert!(ran.unwrap().success(), "{test} failed within its namespace");
}

/// Root, and a loop device that can be mounted.
fn possible(tools: &[&str]) -> Result<()> {
    ensure!(rustix::process::geteuid().is_root(), "mounting needs root");
    let ground = tempfile::tempdir()?;
    let (image, place) = (ground.path().join("image"), ground.path().join("place"));
    std::fs::create_dir(&place)?;
    for tool in tools {
        let found = Command::new(tool).arg("-V").output();
        found.with_context(|| format!("{tool} is not installed"))?;
    }
    let script = "truncate -s 8M \"$0\" && mkfs.ext4 -q \"$0\" && mount -o loop \"$0\" \"$1\"";
    let ran = Command::new("unshare")
        .args(["-m", "sh", "-c", script])
        .arg(&image)
        .arg(&place)
        .output()?;
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    ensure!(
        ran.status.success(),
        "a file system in a file cannot be mounted: {said}"
    );
    Ok(())
}

/// A command that must succeed.
pub(super) fn run(words: &[&str]) -> Result<()> {
    let (program, arguments) = words.split_first().context("no command")?;
    let ran = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| words.join(" "))?;
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    ensure!(ran.status.success(), "{}: {said}", words.join(" "));
    Ok(())
}

/// As text: what is mounted here has a name of letters.
pub(super) fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}
