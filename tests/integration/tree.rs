//! The files of the source tree as the tests read them: what git tracks, and what is about to be tracked.
//! Never looks at build products, and never writes into the tree.

use std::{path::PathBuf, process::Command};

/// One text file of the tree.
pub(crate) struct Text {
    /// The path from the root of the tree, with `/`.
    pub(crate) path: String,
    /// What it holds.
    pub(crate) text: String,
}

/// The root of the source tree.
pub(crate) fn root() -> PathBuf {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("tests/ lies in the root")
        .to_path_buf()
}

/// Every file of the tree that is UTF-8 text, in the order of its path.
pub(crate) fn texts() -> Vec<Text> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output()
        .expect("git lists the files of the tree");
    assert!(
        listed.status.success(),
        "git ls-files failed: these tests need the git checkout, not a copy of it"
    );
    let names = String::from_utf8(listed.stdout).expect("paths in the tree are UTF-8");
    let mut texts: Vec<Text> = names
        .split_terminator('\0')
        .filter_map(|path| {
            // Deleted but not yet committed, a link, or not text: nothing to read.
            let text = std::fs::read_to_string(root().join(path)).ok()?;
            Some(Text {
                path: path.to_owned(),
                text,
            })
        })
        .collect();
    texts.sort_by(|a, b| a.path.cmp(&b.path));
    texts
}

/// The text files whose path ends in `ending`.
pub(crate) fn texts_ending(ending: &str) -> Vec<Text> {
    let mut texts = texts();
    texts.retain(|file| file.path.ends_with(ending));
    assert!(!texts.is_empty(), "no file in the tree ends in {ending}");
    texts
}
