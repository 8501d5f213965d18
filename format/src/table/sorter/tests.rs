//! Sorting in a few records of memory: runs, merges of runs, merges of merges; and that what spills tells nothing.
//! Each result is compared with what plain counting gives.

use super::*;

/// 64 records wait: a few thousand make many runs, and merges of merges.
fn small() -> Sorter {
    Sorter::new(64 * size_of::<Record>())
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
