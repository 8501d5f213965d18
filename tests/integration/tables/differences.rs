//! Where we refuse what Python's `frictionless` lets pass: the whole list, which docs/tables.md repeats for its readers. Each is put
//! to the test from both sides, so that a difference that is none any more is noticed too.

use serde_json::{Value, json};

use super::oracle::{Case, ours, theirs};

/// One column of this type and these constraints.
fn one(kind: &str, constraints: Value) -> Value {
    json!({"fields": [{"name": "a", "type": kind, "constraints": constraints}]})
}

/// A name in docs/tables.md, a schema, and a table that we refuse and frictionless lets pass.
type Difference = (&'static str, Value, String);

fn own(name: &'static str, schema: Value, table: &str) -> Difference {
    (name, schema, table.to_owned())
}

/// In texts.
fn of_texts() -> Vec<Difference> {
    let text = || one("string", json!({}));
    let rounded: String = (0..30).map(|n| format!("99010112048{n:04}0\n")).collect();
    vec![
        own("byte order mark", text(), "\u{feff}a\nx\n"),
        own("formula", text(), "a\n=1+1\n"),
        own(
            "rounded by a spreadsheet",
            one("string", json!({"pattern": "\\d{16}"})),
            &format!("a\n{rounded}"),
        ),
        own("control character", text(), "a\nx\u{7}y\n"),
        own("exponent in a text", text(), "a\n3.27E+15\n"),
        own(
            "digits of other scripts",
            one("string", json!({"pattern": "\\d"})),
            "a\n١\n",
        ),
        own(
            "pattern of alternatives",
            one("string", json!({"pattern": "A|B"})),
            "a\nAX\n",
        ),
        own(
            "line end after a pattern",
            one("string", json!({"pattern": "[A-Z]+"})),
            "a\n\"A\n\"\n",
        ),
    ]
}

/// In numbers, dates and times.
fn of_numbers() -> Vec<Difference> {
    vec![
        own(
            "blanks around a number",
            one("number", json!({})),
            "a\n 5\n",
        ),
        own("exponent", one("number", json!({})), "a\n1e3\n"),
        own("no finite number", one("number", json!({})), "a\nNaN\n"),
        own(
            "no digit before the point",
            one("number", json!({})),
            "a\n.5\n",
        ),
        own(
            "underscore in a number",
            one("integer", json!({})),
            "a\n1_000\n",
        ),
        own(
            "beyond 64 bits",
            one("integer", json!({})),
            "a\n9223372036854775808\n",
        ),
        own("short date", one("date", json!({})), "a\n2030-1-5\n"),
        own("short month", one("yearmonth", json!({})), "a\n2030-1\n"),
        own(
            "midnight as 24 o'clock",
            one("time", json!({})),
            "a\n24:00:00\n",
        ),
        own(
            "moment without an offset",
            one("datetime", json!({})),
            "a\n2030-01-05T10:00:00\n",
        ),
        own(
            "moment with a blank",
            one("datetime", json!({})),
            "a\n2030-01-05 10:00:00+07:00\n",
        ),
    ]
}

/// In rows.
fn of_rows() -> Vec<Difference> {
    let two = |more: Value| {
        let mut schema =
            json!({"fields": [{"name": "a", "type": "string"}, {"name": "b", "type": "string"}]});
        schema
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        schema
    };
    let rule = json!({"amanah": {"rules": [{"name": "urut", "compare": {"left": "a", "is": "<=", "right": "b"}}]}});
    vec![
        own(
            "quotation mark inside a cell",
            two(json!({})),
            "a,b\nx\"y,z\n",
        ),
        own(
            "text after a closing mark",
            two(json!({})),
            "a,b\n\"x\"y,z\n",
        ),
        own(
            "part of a key missing",
            two(json!({"primaryKey": ["a", "b"]})),
            "a,b\n,x\ny,z\n",
        ),
        own(
            "unique keys",
            two(json!({"uniqueKeys": [["a"]]})),
            "a,b\nx,1\nx,2\n",
        ),
        own("rule across fields", two(rule), "a,b\ny,x\n"),
    ]
}

#[test]
fn every_difference_is_listed_and_each_is_one() {
    let cases = [of_texts(), of_numbers(), of_rows()]
        .into_iter()
        .flatten()
        .map(|(name, schema, table)| Case {
            schema,
            table,
            damage: name.to_owned(),
        });
    let cases: Vec<Case> = cases.collect();
    let page = std::fs::read_to_string(crate::tree::root().join("docs/tables.md")).unwrap();
    for (case, theirs) in cases.iter().zip(theirs(&cases)) {
        assert!(!ours(case).is_empty(), "{} is let pass", case.damage);
        assert_eq!(theirs, [""; 0], "{} is refused by both", case.damage);
        assert!(
            page.contains(&format!("| {} |", case.damage)),
            "{} is not in docs/tables.md",
            case.damage
        );
    }
}
