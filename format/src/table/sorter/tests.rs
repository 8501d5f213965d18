//! Sorting in a few records of memory: runs, runs of runs, buckets of buckets; and that what spills tells nothing. Each result is
//! compared with what plain counting gives.

use std::collections::HashSet;

use super::*;

/// 64 records wait, and as many of a bucket are compared in memory: a few thousand make many runs.
fn small() -> Sorter {
    Sorter {
        bucket_max: 64,
        ..Sorter::new(64 * 2 * RECORD_BYTES)
    }
}

fn of(text: &str) -> u128 {
    hash(&[7; 16], [Value::Text(text)].iter())
}

#[test]
fn duplicates_are_found_across_any_number_of_runs() {
    let (mut memory, mut sorter) = (Memory::default(), small());
    let mut runs = Runs::new(&mut memory);
    for row in 1..=20_000_u64 {
        let twin = matches!(row, 5 | 9_000 | 20_000);
        let name = if twin {
            "twin".to_owned()
        } else {
            row.to_string()
        };
        sorter.push(of(&name), row, &mut runs).unwrap();
    }
    assert!(
        sorter.runs.iter().any(|run| run.level > 0),
        "{:?}",
        sorter.runs
    );
    let tally = sorter.duplicates(&mut runs).unwrap();
    let mut expected = Tally::default();
    expected.add(9_000);
    expected.add(20_000);
    assert_eq!(format!("{tally:?}"), format!("{expected:?}"));
}

/// What plain counting says of records: of duplicates, then of references.
fn counted(records: &[(u128, u64, bool)]) -> [Tally; 2] {
    let (mut duplicates, mut dangling) = (Tally::default(), Tally::default());
    let (mut seen, mut named) = (HashSet::new(), HashSet::new());
    for (hash, row, refers) in records {
        if !seen.insert(*hash) {
            duplicates.add(*row);
        }
        if !refers {
            named.insert(*hash);
        }
    }
    for (hash, row, refers) in records {
        if *refers && !named.contains(hash) {
            dangling.add(*row);
        }
    }
    [duplicates, dangling]
}

fn sorted(records: &[(u128, u64, bool)], question: Question) -> Tally {
    let (mut memory, mut sorter) = (Memory::default(), small());
    let mut runs = Runs::new(&mut memory);
    for (hash, row, refers) in records {
        if *refers {
            sorter.push_reference(*hash, *row, &mut runs).unwrap();
        } else {
            sorter.push(*hash, *row, &mut runs).unwrap();
        }
        assert!(sorter.runs.len() < RUNS_MAX * 3, "the list stays short");
    }
    match question {
        Question::Duplicates => sorter.duplicates(&mut runs).unwrap(),
        Question::Dangling => sorter.dangling(&mut runs).unwrap(),
    }
}

#[test]
fn whatever_hashes_begin_with_each_is_judged_as_by_counting() {
    // As SipHash spreads them, and as nobody who lacks its key could have them: alike in their first bytes, in all but the last, in
    // one half, in everything.
    let kinds: [fn(u64) -> u128; 7] = [
        |n| of(&n.to_string()),
        |n| of(&(n / 3).to_string()),
        |n| 0xabcd_ef00_u128 << 96 | u128::from(n),
        |n| u128::from(n) << 64,
        |n| u128::from(n % 2),
        |n| if n % 5 == 0 { of(&n.to_string()) } else { 0 },
        |_| u128::MAX,
    ];
    for (place, kind) in kinds.into_iter().enumerate() {
        for rows in [1_u64, 2, 63, 64, 65, 700, 9_000] {
            let plain: Vec<_> = (1..=rows).map(|row| (kind(row), row, false)).collect();
            let referring = (1..=rows).map(|row| (kind(row * 2), row, row % 3 > 0));
            let referring: Vec<_> = referring.collect();
            let alone: Vec<_> = (1..=rows).map(|row| (kind(row), row, true)).collect();
            let [duplicates, _] = counted(&plain);
            let found = sorted(&plain, Question::Duplicates);
            assert_eq!(
                format!("{found:?}"),
                format!("{duplicates:?}"),
                "{place} {rows}"
            );
            for records in [&referring, &alone] {
                let [_, dangling] = counted(records);
                let found = sorted(records, Question::Dangling);
                assert_eq!(
                    format!("{found:?}"),
                    format!("{dangling:?}"),
                    "{place} {rows}"
                );
            }
        }
    }
}

#[test]
fn a_reference_may_come_before_and_after_what_it_leads_to() {
    for rows in [10_u64, 5_000] {
        let (mut memory, mut sorter) = (Memory::default(), small());
        let mut runs = Runs::new(&mut memory);
        for row in 1..=rows {
            sorter.push(of(&row.to_string()), row, &mut runs).unwrap();
            let to = if row == 7 { rows + 1 } else { rows + 1 - row };
            sorter
                .push_reference(of(&to.to_string()), row, &mut runs)
                .unwrap();
        }
        let tally = sorter.dangling(&mut runs).unwrap();
        assert_eq!(
            (tally.count, format!("{tally:?}").contains("[7]")),
            (1, true)
        );
    }
}

#[test]
fn what_spills_is_no_plaintext_and_differs_under_another_key() {
    let spilled = |key: u8| {
        let (mut memory, mut sorter) = (Memory::default(), small());
        let mut runs = Runs::new(&mut memory);
        for row in 0..200 {
            let value = Value::Text("Z1234567");
            sorter
                .push(hash(&[key; 16], [value].iter()), row, &mut runs)
                .unwrap();
        }
        sorter.duplicates(&mut runs).unwrap();
        memory.0
    };
    let (one, other) = (spilled(1), spilled(2));
    assert!(!one.is_empty() && one.windows(8).all(|part| part != b"Z1234567"));
    assert_ne!(one.get(..16), other.get(..16));
}

#[test]
fn values_side_by_side_do_not_run_into_each_other() {
    let of = |values: &[Value<'_>]| hash(&[7; 16], values.iter());
    assert_ne!(
        of(&[Value::Text("ab"), Value::Text("c")]),
        of(&[Value::Text("a"), Value::Text("bc")])
    );
    assert_ne!(
        of(&[Value::Missing, Value::Text("")]),
        of(&[Value::Text(""), Value::Missing])
    );
    assert_ne!(of(&[Value::Integer(1)]), of(&[Value::Year(1)]));
}
