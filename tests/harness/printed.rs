//! The commands that a document prints, taken out of it and run as they stand: a document that the tests do not run is a
//! document that is wrong. A block is what stands between fences; its first line, a comment, names it.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

/// The fenced blocks of a document in this language, in their order.
#[must_use]
pub fn blocks<'a>(document: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("\n```{language}\n");
    let rest = document.split(fence.as_str()).skip(1);
    rest.filter_map(|text| text.split("\n```\n").next())
        .collect()
}

/// The shell block that begins with the comment `# NAME`, or `# NAME: what it is for`.
///
/// # Errors
/// There is none.
pub fn block<'a>(document: &'a str, name: &str) -> Result<&'a str> {
    let named = |block: &&str| {
        let line = block.lines().next().unwrap_or_default();
        line == format!("# {name}") || line.starts_with(&format!("# {name}:"))
    };
    let mut found = blocks(document, "sh").into_iter().filter(named);
    found
        .next()
        .with_context(|| format!("no block is called {name}"))
}

/// Runs a block in a folder; any exit code is an answer.
///
/// # Errors
/// The shell cannot be started.
pub fn run(block: &str, folder: &Path) -> Result<Output> {
    let mut shell = Command::new("sh");
    shell.args(["-c", block]).current_dir(folder);
    Ok(shell.output()?)
}

/// Runs a block in a folder, which must succeed; what it printed.
///
/// # Errors
/// It fails.
pub fn run_well(block: &str, folder: &Path) -> Result<String> {
    let output = run(block, folder)?;
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(
        output.status.success(),
        "{}\n{block}\n{said}{complained}",
        output.status
    );
    Ok(said.into_owned())
}
