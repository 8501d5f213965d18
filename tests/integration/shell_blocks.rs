//! The commands of the documents, run: the blocks that a document marks as `sh`, in its order, as one script. Nothing in them
//! is replaced but the values of variables that the document names; blocks that need root say so and are left out.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::{program, tree};

/// The line by which a block says that it needs root.
pub(crate) const NEEDS_ROOT: &str = "# perlu root";
/// Longest run of a document.
const PATIENCE_SECS: &str = "150";

/// A block of commands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) text: String,
    pub(crate) needs_root: bool,
}

/// The `sh` blocks of a document.
pub(crate) fn blocks(document: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for line in document.lines() {
        match (line.trim(), &mut open) {
            ("```sh", None) => open = Some(String::new()),
            ("```", Some(_)) => found.extend(open.take()),
            (_, Some(block)) => {
                block.push_str(line);
                block.push('\n');
            }
            (_, None) => {}
        }
    }
    let block = |text: String| Block {
        needs_root: text.lines().any(|line| line.trim() == NEEDS_ROOT),
        text,
    };
    found.into_iter().map(block).collect()
}

/// The blocks that need no root as one script; a line `NAME=…` gets the value given for NAME.
pub(crate) fn script(blocks: &[Block], values: &[(&str, &str)]) -> String {
    let mut script = String::new();
    let open = blocks.iter().filter(|block| !block.needs_root);
    for line in open.flat_map(|block| block.text.lines()) {
        let value = values.iter().find(|(name, _)| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('='))
        });
        match value {
            Some((name, value)) => script.push_str(&format!("{name}=\"{value}\"\n")),
            None => script.push_str(&format!("{line}\n")),
        }
    }
    script
}

/// Runs a script as [`run_at`] does, the configuration being where `amanah` looks for it by itself: nowhere.
pub(crate) fn run(script: &str, folder: &Path) -> Output {
    run_at(script, folder, None)
}

/// Runs a script from the root of the tree, with `amanah` and `amanahd` in the path, in English, stopping at the first
/// command that fails; whatever it left running in the background is ended.
/// `home` stands for the place where `amanah` finds its configuration by itself on an installed machine.
pub(crate) fn run_at(script: &str, folder: &Path, home: Option<&Path>) -> Output {
    let programs = folder.join("programs");
    fs::create_dir_all(&programs).unwrap();
    let program = program().display();
    let home = home.map_or(String::new(), |home| format!("--home '{}'", home.display()));
    for (name, line) in [
        ("amanah", format!("exec '{program}' {home} \"$@\"")),
        (
            "amanahd",
            format!("exec '{program}' daemon \"$@\" --with-parent"),
        ),
    ] {
        let path = programs.join(name);
        fs::write(&path, format!("#!/bin/sh\n{line}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let file = folder.join("script");
    let end = "trap 'for job in $(jobs -p); do kill $job 2>/dev/null || true; done; wait' EXIT\n";
    fs::write(&file, format!("set -eu -o pipefail\n{end}{script}")).unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    Command::new("timeout")
        .args([PATIENCE_SECS, "bash"])
        .arg(&file)
        .current_dir(tree::root())
        .env("PATH", path)
        .env("LC_ALL", "C.UTF-8")
        .env("TMPDIR", folder)
        .env_remove("CREDENTIALS_DIRECTORY")
        .output()
        .unwrap()
}

/// A port of loopback that is free now.
pub(crate) fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}

/// Fails with all that the script said.
pub(crate) fn demand_success(what: &str, ran: &Output) {
    assert!(
        ran.status.success(),
        "{what}: {}\n{}\n{}",
        ran.status,
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
}

#[test]
fn blocks_values_and_the_mark_for_root_are_read_and_a_failing_command_is_caught() {
    let text = "```sh\nPORT=1\necho $PORTS\n```\nx\n```toml\na = 1\n```\n```sh\n# perlu root\nfalse\n```\n";
    let found = blocks(text);
    assert_eq!(found.len(), 2);
    assert!(!found[0].needs_root && found[1].needs_root);
    assert_eq!(
        script(&found, &[("PORT", "2")]),
        "PORT=\"2\"\necho $PORTS\n"
    );
    let folder = tempfile::tempdir().unwrap();
    assert!(
        run("amanah --version >/dev/null; true\n", folder.path())
            .status
            .success()
    );
    assert!(!run("false\ntrue\n", folder.path()).status.success());
    assert!(
        !run("amanah verify /nothing | cat\n", folder.path())
            .status
            .success()
    );
}
