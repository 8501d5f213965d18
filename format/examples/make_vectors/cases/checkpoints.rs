//! Checkpoints and the records below them (FORMAT.md section 15).
//! A note is broken in its text, its signature or its key; the records are right lines of which one was changed, moved,
//! added or left out.

use amanah_format::ledger::{Checkpoint, Tree, leaf_hash};

use super::{
    Case,
    case::swap,
    parties::{KEMENHAJ, LEDGER, key},
};

/// Seven records of imigrasi's ledger, one line each.
fn records() -> String {
    let record = |index: u64, kind: &str, rest: &str| {
        format!(
            "{{\"index\":{index},\"time\":\"2026-11-22T20:3{index}:00Z\",\"kind\":\"{kind}\",{rest}}}\n"
        )
    };
    let none = "\"manifest\":null,\"digests\":[]";
    let loaded = format!(
        "\"manifest\":null,\"digests\":[\"sha256:{}\"]",
        "1".repeat(64)
    );
    let bundle = format!("\"manifest\":\"sha256:{}\",\"digests\":[]", "3".repeat(64));
    [
        record(0, "opened", none),
        record(1, "loaded", &loaded),
        record(2, "admitted", &bundle),
        record(3, "imported", &bundle),
        record(4, "receipt-signed", &bundle),
        record(5, "refused", &format!("{bundle},\"code\":\"expired\"")),
        record(
            6,
            "requested",
            &format!("{none},\"code\":\"retry\",\"by\":1000"),
        ),
    ]
    .concat()
}

fn checkpoint(lines: &str) -> Checkpoint {
    let mut tree = Tree::default();
    for line in lines.lines() {
        tree.push(leaf_hash(line.as_bytes()));
    }
    Checkpoint {
        origin: "amanah/imigrasi/1".into(),
        size: tree.size(),
        root: tree.root(),
    }
}

/// Notes, and records against a note.
// One case a line, as in a table.
#[rustfmt::skip]
pub(crate) fn all() -> Vec<Case> {
    let note = checkpoint(&records()).sign(&key(LEDGER));
    let case = |name: &str, expect: &str, comment: &str, note: &str| {
        Case::new(&format!("checkpoint/{name}"), expect, comment, note)
            .with("keys", key(LEDGER).public().to_string())
    };
    let records_case = |name: &str, expect: &str, comment: &str, lines: String| {
        let known = checkpoint(&records());
        Case::new(&format!("records/{name}"), expect, comment, lines)
            .with("origin", known.origin)
            .with("size", known.size.to_string())
            .with("root", known.root.to_string())
    };
    let other = checkpoint(&records()).sign(&key(KEMENHAJ));
    let cosigned = format!(
        "{note}{}",
        other
            .lines()
            .last()
            .map(|line| format!("{line}\n"))
            .unwrap_or_default()
    );
    let lines = records();
    let last = lines.lines().last().map_or(0, |line| line.len() + 1);
    let shorter = lines.split_at(lines.len() - last).0.to_owned();
    vec![
        case("ok", "ok", "seven records", &note),
        case("ok-empty", "ok", "no record: the root is SHA-256 of nothing", &checkpoint("").sign(&key(LEDGER))),
        case("ok-cosigned", "ok", "another signature line after ours", &cosigned),
        case("other-key", "refused", "signed by another key", &other),
        case("size-altered", "refused", "the size was changed after signing", &swap(&note, "\n7\n", "\n8\n")),
        case("unsigned", "refused", "no signature line", note.split("\u{2014}").next().unwrap_or_default()),
        case("leading-zero", "refused", "a size with a leading zero", &swap(&note, "\n7\n", "\n07\n")),
        case("crlf", "refused", "carriage returns", &note.replace('\n', "\r\n")),
        records_case("ok", "ok", "seven records", lines.clone()),
        records_case("record-altered", "refused", "a code was changed", swap(&lines, "expired", "too-large")),
        records_case("record-removed", "refused", "the last record is missing", shorter),
        records_case("records-swapped", "refused", "two indices exchanged", swap(&swap(&lines, "\"index\":2", "\"index\":9"), "\"index\":3", "\"index\":2")),
        records_case(
            "record-added",
            "refused",
            "one record more than signed",
            format!(
                "{lines}{{\"index\":7,\"time\":\"2026-11-22T20:37:00Z\",\"kind\":\"opened\",\"manifest\":null,\"digests\":[]}}\n"
            ),
        ),
        records_case("unknown-kind", "refused", "a kind that is not in the list", swap(&lines, "\"loaded\"", "\"forgotten\"")),
    ]
}
