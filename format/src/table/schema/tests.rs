//! What a schema may say, and what refuses it before anybody signs: for each "accepts" a "refuses".
//! One sound schema, and one change at a time.

use serde_json::{Value as Json, json};

use super::*;
use crate::table::limits::{KEYS_MAX, SCHEMA_BYTES_MAX};
use crate::table::{Kind, Level, Op, RuleBody};

fn whole() -> Json {
    json!({
        "$schema": PROFILES[0], "name": "manifes", "title": "Manifes",
        "fields": [
            {"name": "nomor", "type": "string", "constraints": {"required": true, "pattern": r"^[A-Z]\d{7}$"}},
            {"name": "berangkat", "type": "date", "constraints": {"minimum": "1900-01-01"}},
            {"name": "pulang", "type": "date", "format": "%d/%m/%Y"},
            {"name": "jenis", "type": "string", "constraints": {"enum": ["A", "B"]}, "amanah": {"personal": "umum"}},
            {"name": "biaya", "type": "number", "constraints": {"minimum": "0.01", "maximum": 1000}},
            {"name": "nik", "type": "string"}, {"name": "kelamin", "type": "string"},
            {"name": "induk", "type": "string"}
        ],
        "fieldsMatch": "equal", "primaryKey": "nomor", "uniqueKeys": [["nik", "berangkat"]],
        "foreignKeys": [
            {"fields": "induk", "reference": {"resource": "", "fields": "nomor"}},
            {"fields": ["jenis"], "reference": {"resource": "registri", "fields": ["jenis"]}}
        ],
        "missingValues": ["", "-"],
        "amanah": {
            "rules": [
                {"name": "urut", "compare": {"left": "pulang", "is": ">=", "right": "berangkat", "days": 1}},
                {"name": "lengkap", "when": {"field": "jenis", "in": ["A"]}, "required": ["biaya"]},
                {"name": "nik", "nik": {"field": "nik", "birth": "berangkat", "sex": "kelamin", "female": "P"}}
            ],
            "totals": ["biaya"]
        }
    })
}

fn parse(schema: &Json) -> Result<Schema, SchemaError> {
    Schema::parse(schema.to_string().as_bytes())
}

/// The whole schema with one member changed.
fn changed(pointer: &str, value: Json) -> Result<Schema, SchemaError> {
    let mut schema = whole();
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    let parent = schema.pointer_mut(parent).unwrap();
    if let Some(list) = parent.as_array_mut() {
        list[member.parse::<usize>().unwrap()] = value;
    } else {
        parent[member] = value;
    }
    parse(&schema)
}

#[test]
fn a_schema_is_read_into_what_is_checked() {
    let text = whole().to_string();
    let schema = Schema::parse(text.as_bytes()).unwrap();
    assert_eq!(schema.digest(), Digest::of(text.as_bytes()));
    assert_eq!(
        (schema.name(), schema.title()),
        (Some("manifes"), Some("Manifes"))
    );
    assert_eq!(schema.primary_key(), [0]);
    assert_eq!(schema.unique_keys(), [vec![5, 1]]);
    assert_eq!(
        schema.foreign_keys()[1].resource.as_deref(),
        Some("registri")
    );
    assert_eq!(schema.totals(), [4]);
    let [order, complete, nik] = schema.rules() else {
        panic!()
    };
    assert!(
        matches!(order.body(), RuleBody::Compare(compare) if compare.op == Op::AtLeast && compare.days == 1)
    );
    assert_eq!(
        (complete.level(), nik.level()),
        (Level::Refusal, Level::Warning)
    );
    let kinds: Vec<Kind> = schema.fields().iter().map(Field::kind).collect();
    assert_eq!(
        kinds[..5],
        [Kind::Text, Kind::Date, Kind::Date, Kind::Text, Kind::Number]
    );
    assert!(schema.fields()[0].is_required() && !schema.fields()[1].is_required());
    assert!(schema.is_missing("-") && !schema.is_missing("x"));
}

#[test]
fn what_this_program_would_not_enforce_is_refused() {
    for (pointer, value) in [
        ("/$schema", json!("https://example.test/schema.json")),
        ("/hash", json!("md5:d41d8cd98f00b204e9800998ecf8427e")),
        ("/fieldsMatch", json!("subset")),
        ("/fieldsMatch", json!(["partial"])),
        ("/fields/0/constraints/pattern", json!(r"(a)\1")),
        ("/fields/0/constraints/pattern", json!("(?=a)a")),
        ("/fields/0/constraints/jsonSchema", json!({})),
        ("/fields/0/type", json!("any")),
        ("/fields/0/type", json!("object")),
        ("/fields/0/type", json!("geopoint")),
        ("/fields/0/format", json!("binary")),
        ("/fields/0/categories", json!(["a"])),
        ("/fields/0/$ref", json!("#/x")),
        ("/fields/1/format", json!("any")),
        ("/fields/1/format", json!("%d %b %Y")),
        ("/fields/4/decimalChar", json!(",")),
        ("/fields/4/groupChar", json!(".")),
        ("/fields/4/bareNumber", json!(false)),
        (
            "/foreignKeys/1/reference/resource",
            json!("https://example.test/registri.csv"),
        ),
        ("/foreignKeys/1/reference/resource", json!("../registri")),
    ] {
        assert!(changed(pointer, value).is_err(), "{pointer}");
    }
}

#[test]
fn a_schema_that_contradicts_itself_is_refused() {
    for (pointer, value) in [
        ("/fields", json!([])),
        ("/fields/1/name", json!("NOMOR")),
        ("/fields/1/name", json!("tanggal berangkat")),
        ("/fields/1/name", json!("1a")),
        ("/fields/1/name", json!("a\"; DROP TABLE x")),
        ("/fields/1/constraints/minimum", json!("kemarin")),
        ("/fields/1/constraints/maxLength", json!(3)),
        ("/fields/0/constraints/minimum", json!("A")),
        ("/fields/4/constraints/minimum", json!(0.01)),
        ("/fields/3/constraints/enum", json!([])),
        ("/fields/4/constraints/enum", json!(["banyak"])),
        ("/primaryKey", json!("tidak_ada")),
        ("/primaryKey", json!([])),
        ("/primaryKey", json!(["nomor", "nomor"])),
        ("/foreignKeys/0/fields", json!("berangkat")),
        ("/foreignKeys/0/reference/fields", json!(["nomor", "nik"])),
        ("/amanah/totals", json!(["biaya", "biaya"])),
        ("/amanah/rules/1/name", json!("urut")),
        ("/amanah/rules/0/compare/right", json!("biaya")),
        ("/amanah/rules/0/compare/is", json!("=>")),
        ("/amanah/rules/0/required", json!(["nik"])),
        ("/amanah/rules/1/when/in", json!([])),
        ("/amanah/rules/2/level", json!("refusal")),
        ("/amanah/rules/2/nik/birth", json!("nomor")),
        ("/missingValues", json!(["\u{202e}"])),
        ("/description", json!("a\u{0}b")),
    ] {
        assert!(changed(pointer, value).is_err(), "{pointer}");
    }
}

#[test]
fn a_schema_has_a_bounded_size_and_strict_json() {
    let text = whole().to_string();
    for end in 0..text.len() {
        assert!(Schema::parse(&text.as_bytes()[..end]).is_err());
    }
    let twice = text.replacen(
        "\"name\":\"manifes\"",
        "\"name\":\"manifes\",\"name\":\"lain\"",
        1,
    );
    assert!(Schema::parse(twice.as_bytes()).is_err());
    let long = format!(
        "{text}{}",
        " ".repeat(usize::try_from(SCHEMA_BYTES_MAX).unwrap())
    );
    assert!(Schema::parse(long.as_bytes()).is_err());
    let field = |number: usize| json!({"name": format!("k{number}"), "type": "string", "constraints": {"unique": true}});
    let many = |count: usize| parse(&json!({"fields": (0..count).map(field).collect::<Vec<_>>()}));
    assert!(many(KEYS_MAX).is_ok() && many(KEYS_MAX + 1).is_err());
}

#[test]
fn an_error_names_the_column_and_no_more_of_it_than_may_be_shown() {
    let error = changed("/fields/1/type", json!("waktu"))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("schema: column \"berangkat\": a column of a table flow is string"),
        "{error}"
    );
}
