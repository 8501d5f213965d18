//! The checker beside Python's `frictionless`: on generated tables, valid and damaged, both say the same; where they do not, the
//! difference is one of `differences`. Which rule was broken each calls by a name of its own: compared is the verdict.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use amanah_format::table::{Dialect, Memory, Plan, Rows, Schema, check};
use amanah_tests::mutation::Seeded;
use amanah_tests::python;
use serde_json::{Value, json};

/// Tables in the ordinary test: it must stay within seconds.
const TABLES: usize = 600;
/// Rounds of as many in the campaign.
const ROUNDS: u64 = 10;

/// A schema and a table.
pub(super) struct Case {
    pub(super) schema: Value,
    pub(super) table: String,
    /// What was done to it.
    pub(super) damage: String,
}

/// A kind of column: its description, cells that keep it and cells that break it.
struct Pool {
    field: Value,
    good: &'static [&'static str],
    bad: &'static [&'static str],
}

fn pool(
    kind: &str,
    constraints: Value,
    good: &'static [&'static str],
    bad: &'static [&'static str],
) -> Pool {
    let field = json!({"type": kind, "constraints": constraints});
    Pool { field, good, bad }
}

fn texts() -> Vec<Pool> {
    vec![
        pool(
            "string",
            json!({"pattern": "^[A-Z]\\d{7}$"}),
            &["Z0000001", "Z7654321"],
            &["z0000001", "Z000001", "Z00000011", "0000000Z"],
        ),
        pool(
            "string",
            json!({"pattern": "[A-Z0-9-]{3,8}"}),
            &["ABC", "Z-9-0"],
            &["AB", "ABCDEFGHI", "abc", "A_C"],
        ),
        pool(
            "string",
            json!({"minLength": 2, "maxLength": 5}),
            &["ab", "ÉÉÉÉÉ", "a,b", "a\"b", "x\ny"],
            &["a", "abcdef", "ÉÉÉÉÉÉ"],
        ),
        pool(
            "string",
            json!({"enum": ["L", "P", "tak, tahu"]}),
            &["L", "P", "tak, tahu"],
            &["X", "l", "LP", "P "],
        ),
    ]
}

fn numbers() -> Vec<Pool> {
    vec![
        pool(
            "integer",
            json!({"minimum": 1, "maximum": 50}),
            &["1", "50", "+7", "007"],
            &["0", "51", "1.5", "x", "3E+1"],
        ),
        pool(
            "number",
            json!({"minimum": "0.05", "maximum": 1000}),
            &["0.05", "1000.00", "7", "12.345"],
            &["0.049", "1000.01", "-1", "1,5", "x"],
        ),
        pool(
            "boolean",
            json!({}),
            &["true", "FALSE", "0", "1"],
            &["ya", "tRUE", "2"],
        ),
    ]
}

fn times() -> Vec<Pool> {
    vec![
        pool(
            "date",
            json!({"minimum": "1900-01-01", "maximum": "2040-12-31"}),
            &["2030-02-28", "2028-02-29", "1900-01-01"],
            &[
                "2030-02-29",
                "1899-12-31",
                "2041-01-01",
                "31/12/2030",
                "besok",
            ],
        ),
        pool(
            "date",
            json!({"enum": ["2030-01-01", "2031-01-01"]}),
            &["2030-01-01"],
            &["2030-01-02"],
        ),
        pool(
            "datetime",
            json!({"minimum": "2030-01-01T00:00:00+07:00"}),
            &["2030-01-01T00:00:00+07:00", "2031-05-05T10:11:12Z"],
            &[
                "2029-12-31T16:59:59Z",
                "2030-13-01T00:00:00Z",
                "2030-01-02",
                "kemarin",
            ],
        ),
        pool(
            "time",
            json!({}),
            &["10:00:00", "23:59:59"],
            &["25:00:00", "10:00", "x"],
        ),
        pool("year", json!({}), &["2030", "1445"], &["20300", "abcd"]),
        pool(
            "yearmonth",
            json!({}),
            &["2030-12", "2030-01"],
            &["2030-13", "2030"],
        ),
    ]
}

fn pools() -> Vec<Pool> {
    [texts(), numbers(), times()]
        .into_iter()
        .flatten()
        .collect()
}

/// A table under way: columns, and rows of cells.
struct Table {
    fields: Vec<Value>,
    pools: Vec<Option<usize>>,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

fn generated(random: &mut Seeded, pools: &[Pool]) -> Case {
    let mut table = valid(random, pools);
    let mut schema = json!({"missingValues": [""], "primaryKey": ["kunci"]});
    if random.below(3) == 0 {
        schema["foreignKeys"] =
            json!([{"fields": ["induk"], "reference": {"resource": "", "fields": ["kunci"]}}]);
    }
    schema["fields"] = json!(table.fields);
    let damage = if random.below(3) == 0 {
        String::new()
    } else {
        damaged(random, pools, &mut table)
    };
    let line = |cells: &Vec<String>| {
        cells
            .iter()
            .map(|cell| quoted(cell))
            .collect::<Vec<_>>()
            .join(",")
    };
    let end = if random.below(2) == 0 { "\n" } else { "\r\n" };
    let lines: Vec<String> = std::iter::once(&table.header)
        .chain(&table.rows)
        .map(line)
        .collect();
    Case {
        schema,
        table: lines.join(end) + end,
        damage,
    }
}

fn valid(random: &mut Seeded, pools: &[Pool]) -> Table {
    let mut table = Table {
        fields: vec![
            json!({"name": "kunci", "type": "string", "constraints": {"required": true}}),
            json!({"name": "induk", "type": "string"}),
        ],
        pools: vec![None, None],
        header: vec!["kunci".to_owned(), "induk".to_owned()],
        rows: Vec::new(),
    };
    for place in 0..=random.below(5) {
        let chosen = random.below(pools.len());
        let mut field = pools[chosen].field.clone();
        field["name"] = json!(format!("kolom_{place}"));
        field["constraints"]["required"] = json!(random.below(2) == 0);
        table.header.push(format!("kolom_{place}"));
        table.fields.push(field);
        table.pools.push(Some(chosen));
    }
    let rows = 1 + random.below(12);
    for row in 0..rows {
        let mut cells = vec![format!("K{row}"), format!("K{}", random.below(rows))];
        for (field, pool) in table.fields.iter().zip(&table.pools).skip(2) {
            let good = pools[pool.unwrap()].good;
            let empty = field["constraints"]["required"] == json!(false) && random.below(4) == 0;
            cells.push(if empty {
                String::new()
            } else {
                good[random.below(good.len())].to_owned()
            });
        }
        table.rows.push(cells);
    }
    table
}

/// Damages one thing, and says what.
fn damaged(random: &mut Seeded, pools: &[Pool], table: &mut Table) -> String {
    let row = random.below(table.rows.len());
    let column = 2 + random.below(table.fields.len() - 2);
    let kind = random.below(10);
    match kind {
        0 => {
            table.header.push("alamat".to_owned());
            table
                .rows
                .iter_mut()
                .for_each(|cells| cells.push("x".to_owned()));
        }
        1 => {
            table.header.remove(column);
            table
                .rows
                .iter_mut()
                .for_each(|cells| drop(cells.remove(column)));
        }
        2 => table.header.swap(0, column),
        3 => table.header[column].push_str("_lama"),
        4 => table.rows[row].push("lebih".to_owned()),
        5 => drop(table.rows[row].pop()),
        6 => {
            let twin = table.rows[row].clone();
            table.rows.push(twin);
        }
        7 => table.rows[row][1] = "K-tiada".to_owned(),
        8 => table.rows[row][column] = String::new(),
        _ => {
            let bad = pools[table.pools[column].unwrap()].bad;
            table.rows[row][column] = bad[random.below(bad.len())].to_owned();
        }
    }
    format!("{kind} at row {row}, column {column}")
}

fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// What our checker finds: codes; of a refusing kind only.
pub(super) fn ours(case: &Case) -> Vec<String> {
    let schema = Schema::parse(case.schema.to_string().as_bytes()).unwrap();
    let plan = Plan {
        schema: &schema,
        dialect: Dialect::Csv,
        rows_max: None,
        totals: &[],
        key: [9; 16],
    };
    let checked = check(
        &mut case.table.as_bytes(),
        &plan,
        &mut Memory::default(),
        &mut Rows,
    )
    .unwrap();
    let refusing = checked
        .report
        .findings()
        .iter()
        .filter(|one| one.level == amanah_format::table::Level::Refusal);
    refusing
        .map(|one| format!("{} {:?}", one.fault.code(), one.subject))
        .collect()
}

/// What frictionless finds: error types.
pub(super) fn theirs(cases: &[Case]) -> Vec<Vec<String>> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let interpreter = python::with_packages(cache).unwrap();
    let list: Vec<Value> = cases
        .iter()
        .map(|case| json!({"schema": case.schema, "table": case.table}))
        .collect();
    let mut child = Command::new(interpreter)
        .arg(python::programs().join("table_oracle.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(json!(list).to_string().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn compared(seed: u64) {
    let (mut random, pools) = (Seeded::new(seed), pools());
    let cases: Vec<Case> = (0..TABLES)
        .map(|_| generated(&mut random, &pools))
        .collect();
    let mut sound = 0;
    for (case, theirs) in cases.iter().zip(theirs(&cases)) {
        let ours = ours(case);
        assert_eq!(
            ours.is_empty(),
            theirs.is_empty(),
            "seed {seed}, damage {:?}: ours {ours:?}, theirs {theirs:?}\n{}\n{}",
            case.damage,
            case.schema,
            case.table
        );
        sound += usize::from(ours.is_empty());
    }
    // Neither all sound nor all damaged, or nothing was compared.
    assert!(
        (TABLES / 5..TABLES * 4 / 5).contains(&sound),
        "{sound} of {TABLES} are sound"
    );
}

#[test]
fn both_checkers_say_the_same_of_generated_tables() {
    compared(1);
}

#[test]
#[ignore = "a campaign: ./check --full"]
fn both_checkers_say_the_same_of_thousands_of_generated_tables() {
    (2..2 + ROUNDS).for_each(compared);
}
