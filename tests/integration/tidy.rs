//! How the sources read, as rules that fail: headers, lengths, names, one-way imports, purity of the format.
//! The rules themselves are functions over text (`rules`, `floors`); here they meet the tree.

mod floors;
mod rules;

use crate::tree::{self, Text};

/// Fails with every fault found, one a line, so that one run shows all that is to be mended.
fn demand_none(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}

/// Every Rust source of the tree.
fn sources() -> Vec<Text> {
    tree::texts_ending(".rs")
}

/// The sources below `folder`.
fn sources_in(folder: &str) -> Vec<Text> {
    let mut texts = sources();
    texts.retain(|file| file.path.starts_with(folder));
    assert!(!texts.is_empty(), "no source below {folder}");
    texts
}

/// Applies `rule` to each file and names the file in each fault.
fn faults(files: &[Text], rule: impl Fn(&Text) -> Vec<String>) -> Vec<String> {
    files
        .iter()
        .flat_map(|file| {
            rule(file)
                .into_iter()
                .map(|fault| format!("{}: {fault}", file.path))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_source_file_says_at_its_head_what_it_is_for() {
    let found = faults(&sources(), |file| rules::header(&file.path, &file.text));
    demand_none("a file opens with 2 to 8 lines of `//!`", &found);
}

#[test]
fn no_source_file_is_longer_than_400_lines() {
    let found = faults(&sources(), |file| rules::length(&file.text));
    demand_none("a file has at most 400 lines", &found);
}

#[test]
fn no_file_or_module_has_a_name_that_says_nothing() {
    let found = faults(&sources(), |file| rules::names(&file.path, &file.text));
    demand_none("files and modules are named after what they do", &found);
}

#[test]
fn nothing_is_left_to_be_done_later_in_the_sources() {
    let found = faults(&sources(), |file| rules::leftovers(&file.text));
    demand_none("what is not done is an issue, not a comment", &found);
}

#[test]
fn imports_in_the_daemon_point_downward_only() {
    let found = faults(&sources_in("daemon/src/"), |file| {
        floors::imports(&file.path, &file.text)
    });
    demand_none("imports point downward, and siblings never meet", &found);
}

#[test]
fn the_engine_of_the_daemon_is_pure() {
    let found = faults(&sources_in("daemon/src/engine/"), |file| {
        rules::impurities(&file.text)
    });
    demand_none("the engine decides and does not act", &found);
}

#[test]
fn the_format_knows_no_file_no_socket_and_no_clock() {
    let files: Vec<Text> = sources_in("format/src/")
        .into_iter()
        .filter(|file| !rules::is_test_file(&file.path))
        .collect();
    let found = faults(&files, |file| rules::impurities(&file.text));
    demand_none("the format is a grammar and nothing else", &found);
}

#[test]
fn the_manifest_of_the_format_lists_no_runtime_and_no_system_calls() {
    let manifest = std::fs::read_to_string(tree::root().join("format/Cargo.toml")).unwrap();
    demand_none(
        "format/Cargo.toml stays free of input and output",
        &rules::format_dependencies(&manifest),
    );
}

#[test]
fn no_text_in_the_tree_names_a_folder_of_the_machine_it_was_written_on() {
    let files: Vec<Text> = tree::texts()
        .into_iter()
        .filter(|file| !(file.path.starts_with("tests/") && file.path.ends_with(".rs")))
        .collect();
    let found = faults(&files, |file| rules::machine_paths(&file.text));
    demand_none("the tree builds and reads the same everywhere", &found);
}
