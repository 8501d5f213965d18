//! The events of the log: docs/events.md and the code say the same, every event is told somewhere with all its fields, and no
//! line calls itself an event that is in no list.

use amanahd::event::Event;

use crate::tree;

/// A row of the page, as the code would print it, without its meaning.
fn row(event: Event) -> [String; 3] {
    let fields = event
        .fields()
        .iter()
        .map(|field| format!("`{}`", field.to_uppercase()));
    let fields: Vec<String> = fields.collect();
    let fields = if fields.is_empty() {
        "–".to_owned()
    } else {
        fields.join(" ")
    };
    [
        format!("`{}`", event.name()),
        format!("`{}`", event.id()),
        fields,
    ]
}

#[test]
fn the_page_of_events_is_the_list_of_the_code() {
    let page = std::fs::read_to_string(tree::root().join("docs/events.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let rows: Vec<[String; 3]> = rows
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [name, id, meaning, fields] = cells.as_slice() else {
                panic!("four cells expected: {line}");
            };
            assert!(meaning.contains(" · "), "both languages: {line}");
            [name, id, fields].map(|cell| (*cell).to_owned())
        })
        .collect();
    let code: Vec<[String; 3]> = Event::ALL.iter().map(|event| row(*event)).collect();
    assert_eq!(rows, code);
}

/// The calls that tell an event, each from its name to its end.
fn told() -> Vec<String> {
    let sources = tree::texts_ending(".rs").into_iter();
    let daemon = sources.filter(|file| file.path.starts_with("daemon/src/"));
    daemon
        .flat_map(|file| {
            let (code, _) = file
                .text
                .split_once("mod tests {")
                .unwrap_or((&file.text, ""));
            let calls = code.split("event = ").skip(1);
            let ends = calls.map(|call| call.split("\");").next().unwrap_or_default().to_owned());
            ends.filter(|call| call.contains(".name()"))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_event_is_told_with_its_fields() {
    let told = told();
    for event in Event::ALL {
        let name = format!("Event::{event:?}.name()");
        let mut calls = told
            .iter()
            .filter(|call| call.starts_with(&name))
            .peekable();
        assert!(calls.peek().is_some(), "{event:?} is told nowhere");
        for call in calls {
            for field in event.fields() {
                let is_there = [
                    format!("{field} ="),
                    format!(" {field},"),
                    format!("%{field},"),
                ];
                assert!(
                    is_there.iter().any(|form| call.contains(form)),
                    "{field} is missing: {call}"
                );
            }
        }
    }
    assert!(
        told.iter().all(|call| call.starts_with("Event::")),
        "{told:#?}"
    );
}
