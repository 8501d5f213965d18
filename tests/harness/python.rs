//! Python with the packages of `tests/python/requirements.txt`, installed once for all tests into a folder below `target/`.
//! Only the first test that ever asks needs the network; those that ask meanwhile wait for it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use amanah_format::digest::Digest;
use anyhow::{Context, Result, ensure};

/// The folder of the Python programs.
#[must_use]
pub fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python")
}

/// The interpreter that has the packages; `cache` is a folder that outlives the tests.
///
/// # Errors
/// Python has no `venv`, or the packages cannot be had.
pub fn with_packages(cache: &Path) -> Result<PathBuf> {
    let wanted = programs().join("requirements.txt");
    let version = Digest::of(&fs::read(&wanted)?).to_hex();
    let folder = cache.join(format!("python-{}", version.get(..16).unwrap_or(&version)));
    let (python, ready) = (folder.join("bin/python3"), folder.join("ready"));
    fs::create_dir_all(cache)?;
    let lock = File::create(folder.with_extension("lock"))?;
    lock.lock()?;
    if !ready.exists() {
        // What a test that was ended left half done is begun anew.
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        done(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let mut install = Command::new(&python);
        install.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]);
        done(install.arg("-r").arg(&wanted))?;
        File::create(&ready)?;
    }
    Ok(python)
}

/// Runs a command that must succeed.
fn done(command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("{command:?} (Debian: python3-venv)"))?;
    ensure!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
