//! SPOOL.md says what the sources do: every instant at which a test can let the daemon die is described, none is invented,
//! and its tables of states and moves are those of the engine.

use std::collections::BTreeSet;

use amanahd::engine::{inbound, outbound};

use crate::tree;

/// SPOOL.md, and the marks that its parts are found by.
const SPOOL: &str = "daemon/src/SPOOL.md";
const STATES: &str = "| state | rows |";
const MOVES: &str = "| event | from | to | record |";
const INSTANTS: &str = "| point |";

fn spool() -> String {
    std::fs::read_to_string(tree::root().join(SPOOL)).expect("SPOOL.md is there")
}

/// The rows of the table that begins with `header` in the section with this number, each cell trimmed.
fn table(text: &str, section: u32, header: &str) -> Vec<Vec<String>> {
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with(&format!("## {section} ")))
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .skip_while(|line| !line.starts_with(header))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    lines
        .map(|line| {
            let cells = line.trim().trim_matches('|').split(" | ");
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}

/// The words between backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The first column.
fn names(rows: &[Vec<String>]) -> Vec<String> {
    rows.iter()
        .filter_map(|row| row.first())
        .flat_map(|cell| quoted(cell))
        .collect()
}

/// What a table of moves says: event, state before, state after.
fn moves(rows: &[Vec<String>]) -> BTreeSet<[String; 3]> {
    let mut moves = BTreeSet::new();
    for row in rows {
        let [event, from, to, _record] = row.as_slice() else {
            panic!("a row of moves has four cells: {row:?}");
        };
        for (event, from) in quoted(event).iter().flat_map(|event| {
            quoted(from)
                .into_iter()
                .map(move |from| (event.clone(), from))
        }) {
            let after = quoted(to).pop().unwrap_or_else(|| from.clone());
            assert!(moves.insert([event, from, after]), "twice: {row:?}");
        }
    }
    moves
}

/// The names of the instants in a source text.
fn points(source: &str) -> Vec<String> {
    let calls = source.split("kill::point(\"").skip(1);
    calls
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_kill_point_is_described_and_none_is_invented() {
    let sources = tree::texts_ending(".rs");
    let sources = sources
        .iter()
        .filter(|file| file.path.starts_with("daemon/src/"));
    let real: BTreeSet<String> = sources.flat_map(|file| points(&file.text)).collect();
    let described: BTreeSet<String> = names(&table(&spool(), 5, INSTANTS)).into_iter().collect();
    assert!(!real.is_empty());
    let missing: Vec<_> = real.difference(&described).collect();
    let invented: Vec<_> = described.difference(&real).collect();
    assert!(missing.is_empty(), "not described: {missing:?}");
    assert!(invented.is_empty(), "not in the sources: {invented:?}");
}

#[test]
fn the_states_are_those_of_the_engine() {
    let listed = |section| names(&table(&spool(), section, STATES));
    assert_eq!(
        listed(2),
        outbound::Outbound::ALL
            .iter()
            .map(|state| state.as_str())
            .collect::<Vec<_>>()
    );
    assert_eq!(
        listed(3),
        inbound::Inbound::ALL
            .iter()
            .map(|state| state.as_str())
            .collect::<Vec<_>>()
    );
}

#[test]
fn the_moves_out_are_those_of_the_engine() {
    let mut real = BTreeSet::new();
    for state in outbound::Outbound::ALL {
        for event in outbound::OutboundEvent::ALL {
            if let Ok(after) = outbound::next(*state, *event) {
                real.insert([event.as_str(), state.as_str(), after.as_str()].map(str::to_owned));
            }
        }
    }
    assert_eq!(moves(&table(&spool(), 2, MOVES)), real);
}

#[test]
fn the_moves_in_are_those_of_the_engine() {
    let mut real = BTreeSet::new();
    for state in inbound::Inbound::ALL {
        for event in inbound::InboundEvent::ALL {
            if let Ok(after) = inbound::next(*state, *event) {
                real.insert([event.as_str(), state.as_str(), after.as_str()].map(str::to_owned));
            }
        }
    }
    assert_eq!(moves(&table(&spool(), 3, MOVES)), real);
}

#[test]
fn a_table_is_read_in_its_own_section_only() {
    let text = "## 2 Out\n| event | from | to | record |\n| --- | --- | --- | --- |\n\
                | `e` | `a` `b` | the same | none |\n| `f` | `a` | `c` | `r` |\n\n\
                ## 3 In\n| event | from | to | record |\n| --- | --- | --- | --- |\n| `g` | `x` | `y` | - |\n";
    let found = moves(&table(text, 2, MOVES));
    let expected = [["e", "a", "a"], ["e", "b", "b"], ["f", "a", "c"]];
    assert_eq!(found, expected.map(|row| row.map(str::to_owned)).into());
    assert!(table(text, 4, MOVES).is_empty());
    assert_eq!(
        points("a(); kill::point(\"x.y\"); crate::kill::point(\"z\");"),
        ["x.y", "z"]
    );
}
