//! The rules on a single text, each a function that returns its faults, and below them the planted offenders
//! that show that each rule can fail. What is looked for is spelled in two halves, so that this file keeps the rules too.

/// Lines of prose in a header: fewer say nothing, more belong into a document.
const HEADER_LINES: std::ops::RangeInclusive<usize> = 2..=8;

/// The same for the face of a crate, which may also tell its parts.
const FACE_LINES: std::ops::RangeInclusive<usize> = 2..=40;

const FILE_LINES_MAX: usize = 400;

const EMPTY_NAMES: [&str; 12] = [
    "util", "utils", "common", "misc", "helper", "helpers", "manager", "service", "data", "info",
    "impl", "impls",
];

const LEFTOVERS: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
];

const IMPURITIES: [&str; 9] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "::now()",
    "now_v7",
    "tokio",
    "rustix",
    "rusqlite",
];

const IMPURE_CRATES: [&str; 10] = [
    "tokio", "async", "futures", "mio", "russh", "rustix", "nix", "libc", "notify", "rusqlite",
];

const MACHINE_FOLDERS: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];

/// A file opens with what it is for. Drawings between fences and empty lines do not count as prose.
pub(crate) fn header(path: &str, text: &str) -> Vec<String> {
    let mut drawing = false;
    let mut prose = 0_usize;
    for line in text.lines() {
        let Some(said) = line.strip_prefix("//!") else {
            break;
        };
        if said.trim_start().starts_with("```") {
            drawing = !drawing;
        } else if !drawing && !said.trim().is_empty() {
            prose = prose.saturating_add(1);
        }
    }
    let face = path.ends_with("lib.rs") || path.ends_with("main.rs");
    let allowed = if face { FACE_LINES } else { HEADER_LINES };
    if allowed.contains(&prose) {
        return Vec::new();
    }
    let (least, most) = (allowed.start(), allowed.end());
    vec![format!(
        "{prose} lines of header, {least} to {most} expected"
    )]
}

/// A file fits a head.
pub(crate) fn length(text: &str) -> Vec<String> {
    let lines = text.lines().count();
    if lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    vec![format!("{lines} lines, at most {FILE_LINES_MAX} expected")]
}

/// No part of the path and no declared module is called by a word that fits everything.
pub(crate) fn names(path: &str, text: &str) -> Vec<String> {
    let parts = path.split('/').map(|part| part.trim_end_matches(".rs"));
    let declared = text.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = line
            .strip_prefix("pub(crate) ")
            .or_else(|| line.strip_prefix("pub "))
            .unwrap_or(line);
        let name = line.strip_prefix("mod ")?;
        name.split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
    });
    parts
        .chain(declared)
        .filter(|name| name.split('_').any(|word| EMPTY_NAMES.contains(&word)))
        .map(|name| format!("`{name}` says nothing"))
        .collect()
}

/// Nothing is marked as unfinished.
pub(crate) fn leftovers(text: &str) -> Vec<String> {
    numbered(text)
        .flat_map(|(number, line)| {
            LEFTOVERS
                .into_iter()
                .filter(move |mark| line.contains(mark))
                .map(move |mark| format!("line {number}: {mark}"))
        })
        .collect()
}

/// Code that decides names no file, socket, clock or runtime. Tests at the foot of a file may.
pub(crate) fn impurities(text: &str) -> Vec<String> {
    let code = text
        .split_once("#[cfg(test)]\nmod tests {")
        .map_or(text, |(code, _)| code);
    numbered(code)
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .flat_map(|(number, line)| {
            IMPURITIES
                .into_iter()
                .filter(move |word| line.contains(word))
                .map(move |word| format!("line {number}: {word}"))
        })
        .collect()
}

/// Whether a file holds only tests.
pub(crate) fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("_tests.rs") || path.contains("/tests/")
}

/// The dependencies of a manifest that would bring input and output into the format.
pub(crate) fn format_dependencies(manifest: &str) -> Vec<String> {
    let table: toml::Table = manifest.parse().expect("the manifest is TOML");
    let Some(dependencies) = table.get("dependencies").and_then(toml::Value::as_table) else {
        return vec!["no dependencies at all".to_owned()];
    };
    dependencies
        .keys()
        .filter(|name| name.split('-').any(|word| IMPURE_CRATES.contains(&word)))
        .map(|name| format!("`{name}` does input or output"))
        .collect()
}

/// Absolute paths of one particular machine. `spool/work/` is not one: the path must begin there.
pub(crate) fn machine_paths(text: &str) -> Vec<String> {
    numbered(text)
        .flat_map(|(number, line)| {
            MACHINE_FOLDERS
                .into_iter()
                .filter(move |folder| begins_in(line, folder))
                .map(move |folder| format!("line {number}: {folder}"))
        })
        .collect()
}

fn begins_in(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        before.is_none_or(|c| c.is_whitespace() || "\"'`(=:,<".contains(c))
    })
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index.saturating_add(1), line))
}

#[test]
fn a_file_without_a_header_or_with_a_long_one_is_caught() {
    assert_eq!(
        header("a.rs", "//! What it is for.\n//! What not.\n"),
        [""; 0]
    );
    assert_eq!(
        header("a.rs", "use std::io;\n//! late\n//! late\n").len(),
        1
    );
    assert_eq!(header("a.rs", "//! one line only\nfn f() {}\n").len(), 1);
    assert_eq!(header("a.rs", &"//! prose\n".repeat(9)).len(), 1);
    assert_eq!(header("src/lib.rs", &"//! prose\n".repeat(9)), [""; 0]);
    let drawn = format!(
        "//! a\n//! b\n//!\n//! ```text\n{}//! ```\n",
        "//! x\n".repeat(20)
    );
    assert_eq!(header("a.rs", &drawn), [""; 0]);
}

#[test]
fn a_file_of_401_lines_is_caught() {
    assert_eq!(length(&"\n".repeat(400)), [""; 0]);
    assert_eq!(length(&"\n".repeat(401)).len(), 1);
}

#[test]
fn an_empty_name_is_caught_in_path_and_module() {
    assert_eq!(names("daemon/src/stage/seal.rs", "mod tests {\n"), [""; 0]);
    assert_eq!(names("format/src/metadata.rs", ""), [""; 0]);
    assert_eq!(names("daemon/src/file_utils.rs", "").len(), 1);
    assert_eq!(names("daemon/src/common/a.rs", "").len(), 1);
    assert_eq!(names("daemon/src/lib.rs", "pub mod helpers;\n").len(), 1);
    assert_eq!(names("daemon/src/lib.rs", "    mod info {\n").len(), 1);
}

#[test]
fn an_unfinished_place_is_caught() {
    for mark in LEFTOVERS {
        assert_eq!(
            leftovers(&format!("fn f() {{}}\n// {mark} later\n")).len(),
            1
        );
    }
    assert_eq!(leftovers("// what remains is said in the issue\n"), [""; 0]);
}

#[test]
fn a_clock_or_a_file_in_pure_code_is_caught() {
    assert_eq!(impurities("let t = SystemTime::now();\n").len(), 1);
    assert_eq!(impurities("use std::fs::File;\n").len(), 1);
    assert_eq!(impurities("// no std::fs here\n"), [""; 0]);
    let foot = "fn f() {}\n#[cfg(test)]\nmod tests {\nuse std::fs;\n}\n";
    assert_eq!(impurities(foot), [""; 0]);
    let hidden = "#[cfg(test)]\nmod tests;\nuse std::fs::File;\n";
    assert_eq!(impurities(hidden).len(), 1);
}

#[test]
fn a_runtime_among_the_dependencies_of_the_format_is_caught() {
    let clean = "[dependencies]\nage = \"1\"\nserde_json = \"1\"\n";
    assert_eq!(format_dependencies(clean), [""; 0]);
    for name in ["tokio", "async-trait", "russh-sftp", "rustix"] {
        let planted = format!("{clean}{name} = \"1\"\n");
        assert_eq!(format_dependencies(&planted).len(), 1, "{name}");
    }
}

#[test]
fn a_path_of_one_machine_is_caught() {
    for folder in MACHINE_FOLDERS {
        assert_eq!(machine_paths(&format!("cd {folder}amanah\n")).len(), 1);
        assert_eq!(machine_paths(&format!("`{folder}amanah`\n")).len(), 1);
        assert_eq!(machine_paths(&format!("spool{folder}x\n")), [""; 0]);
    }
}
