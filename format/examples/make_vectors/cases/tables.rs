//! Tables (FORMAT.md section 17): agreements that pin schemas, schemas, and tables against one of them.
//! Each bad one is a good one with one change.

use amanah_format::{container, signature::Purpose};

use super::{
    Case,
    case::swap,
    parties::{IMIGRASI, KEMENHAJ, agreement, digest, key},
};

/// The schema of all tables here; nobody in it exists.
const SCHEMA: &str = r#"{"$schema": "https://datapackage.org/profiles/2.0/tableschema.json", "name": "uji", "fieldsMatch": "exact",
"fields": [
  {"name": "nomor", "type": "string", "constraints": {"required": true, "pattern": "^Z\\d{7}$"}},
  {"name": "ketua", "type": "string"},
  {"name": "berangkat", "type": "date", "constraints": {"required": true, "minimum": "2026-01-01"}},
  {"name": "pulang", "type": "date"},
  {"name": "biaya", "type": "number", "constraints": {"minimum": "0"}},
  {"name": "nama", "type": "string", "constraints": {"maxLength": 12}}],
"missingValues": [""], "primaryKey": ["nomor"], "uniqueKeys": [["nama", "berangkat"]],
"foreignKeys": [{"fields": ["ketua"], "reference": {"resource": "", "fields": ["nomor"]}}],
"amanah": {"rules": [{"name": "urut", "compare": {"left": "pulang", "is": ">=", "right": "berangkat"}}], "totals": ["biaya", "nomor"]}}
"#;
const HEADER: &str = "nomor,ketua,berangkat,pulang,biaya,nama\n";
const ROWS: &str = "Z0000001,,2026-11-22,2026-12-01,0.10,TIRUNA\nZ0000002,Z0000001,2026-11-22,,1000000000000,\"CO, \"\"BA\"\"\"\n";
const LINES: &str = "{\"nomor\":\"Z0000001\",\"ketua\":null,\"berangkat\":\"2026-11-22\",\"pulang\":\"2026-12-01\",\"biaya\":0.10,\"nama\":\"TIRUNA\"}
{\"nama\":\"CO, \\\"BA\\\"\",\"nomor\":\"Z0000002\",\"ketua\":\"Z0000001\",\"berangkat\":\"2026-11-22\",\"pulang\":\"\",\"biaya\":1000000000000}
";
/// Of both, in whatever order: the hash total is the sum of the first 16 bytes of SHA-256("Z0000001") and SHA-256("Z0000002").
const TOTALS: &str = "biaya=1000000000000.1 nomor=";

/// Schemas.
// One case a line, as in a table.
#[rustfmt::skip]
pub(crate) fn schemas() -> Vec<Case> {
    let case = |name: &str, expect: &str, comment: &str, text: String| Case::new(&format!("schema/{name}"), expect, comment, text);
    let with = |piece: &str, other: &str| swap(SCHEMA, piece, other);
    // One column more.
    let also = |column: &str| swap(SCHEMA, r#""maxLength": 12}}]"#, &format!(r#""maxLength": 12}}}}, {column}]"#));
    let refused = |name: &str, comment: &str, piece: &str, other: &str| case(name, "refused", comment, with(piece, other));
    vec![
        case("ok", "ok", "every kind of rule", SCHEMA.to_owned()),
        case("ok-least", "ok", "one column and nothing else", r#"{"fields": [{"name": "a", "type": "string"}]}"#.to_owned()),
        refused("unknown-member", "a member that would not be enforced", r#""missingValues": [""]"#, r#""missingValues": [""], "lenient": true"#),
        refused("member-twice", "a member twice", r#""name": "uji""#, r#""name": "uji", "name": "uji""#),
        refused("byte-order-mark", "a byte order mark before it", "{\"$schema\"", "\u{feff}{\"$schema\""),
        refused("profile", "another standard", "profiles/2.0/tableschema.json", "profiles/2.0/other.json"),
        refused("remote-reference", "a dataset named by an address", r#""resource": """#, r#""resource": "https://contoh.test/data.json""#),
        refused("match-subset", "columns may be missing", r#""fieldsMatch": "exact""#, r#""fieldsMatch": "subset""#),
        case("ok-more", "ok", "a column more", also(r#"{"name": "isi", "type": "boolean"}"#)),
        case("column-twice", "refused", "two columns of one name, but for case", also(r#"{"name": "NOMOR", "type": "string"}"#)),
        case("column-name", "refused", "a name that is no column of a database", also(r#"{"name": "nama lengkap", "type": "string"}"#)),
        case("type-object", "refused", "a type that nests", also(r#"{"name": "isi", "type": "object"}"#)),
        refused("format-any", "a format that guesses", r#""name": "pulang", "type": "date""#, r#""name": "pulang", "type": "date", "format": "any""#),
        refused("look-around", "a pattern with look-around", r#""^Z\\d{7}$""#, r#""^(?=Z)\\w+$""#),
        refused("back-reference", "a pattern with a back-reference", r#""^Z\\d{7}$""#, r#""^(Z)\\1$""#),
        refused("pattern-too-large", "a pattern that grows beyond its memory", r#""^Z\\d{7}$""#, r#""^((Z{1,900}){1,900}){1,900}$""#),
        refused("bound-of-text", "a bound of a column that has no order", r#""maxLength": 12"#, r#""minimum": "A""#),
        refused("bound-as-float", "a bound that is a binary float", r#""minimum": "0""#, r#""minimum": 0.05"#),
        refused("key-unknown", "a key of a column that is not there", r#""primaryKey": ["nomor"]"#, r#""primaryKey": ["nik"]"#),
        refused("rule-without-body", "a rule that says nothing", r#""name": "urut", "compare": {"left": "pulang", "is": ">=", "right": "berangkat"}"#, r#""name": "urut""#),
        refused("rule-of-two-kinds", "a comparison of a day with a number", r#""left": "pulang""#, r#""left": "biaya""#),
        refused("total-unknown", "a total of a column that is not there", r#""totals": ["biaya""#, r#""totals": ["berat""#),
        refused("group-char", "numbers with group characters", r#""name": "biaya", "type": "number""#, r#""name": "biaya", "type": "number", "groupChar": ".""#),
    ]
}

/// Tables.
// One case a line, as in a table.
#[rustfmt::skip]
pub(crate) fn tables() -> Vec<Case> {
    let hash_total = hash_total(&["Z0000001", "Z0000002"]);
    let case = |name: &str, expect: &str, comment: &str, file: &str, bytes: Vec<u8>| {
        let case = Case::new(&format!("table/{name}"), expect, comment, bytes);
        let case = case.with("schema", "schema/ok").with("name", file).with("records-max", "3");
        if expect == "ok" { case.with("records", "2").with("totals", format!("{TOTALS}{hash_total}")) } else { case }
    };
    let table = format!("{HEADER}{ROWS}");
    let csv = |name: &str, expect: &str, comment: &str, text: &str| case(name, expect, comment, "a.csv", text.as_bytes().to_vec());
    let with = |piece: &str, other: &str| swap(&table, piece, other);
    let form = |name: &str, comment: &str, text: &str| csv(name, "schema-mismatch", comment, text);
    let rows = |name: &str, comment: &str, text: &str| csv(name, "records-invalid", comment, text);
    let json = |name: &str, expect: &str, comment: &str, text: &str| case(name, expect, comment, "a.JSONL", text.as_bytes().to_vec());
    let utf_16 = table.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        csv("ok-csv", "ok", "quoted cells, missing ones, lines that end in LF", &table),
        csv("ok-crlf", "ok", "lines that end in CR LF, the last one open", table.replace('\n', "\r\n").trim_end()),
        csv("ok-other-order", "ok", "the rows in another order have the same totals", &format!("{HEADER}{}", reversed(ROWS))),
        json("ok-json-lines", "ok", "objects in any order of their members", LINES),
        form("column-extra", "a column that is not agreed", &table.replace("nama\n", "nama,alamat\n").replace("TIRUNA\n", "TIRUNA,x\n").replace("\"\"\"\n", "\"\"\",x\n")),
        form("column-missing", "a column less", &table.replacen(",nama\n", "\n", 1).replace(",TIRUNA", "").replace(",\"CO, \"\"BA\"\"\"", "")),
        form("column-order", "two columns exchanged", &with("nomor,ketua", "ketua,nomor")),
        form("header-missing", "rows only", ROWS),
        form("byte-order-mark", "a mark before the header", &format!("\u{feff}{table}")),
        form("semicolon", "semicolons between its columns", &table.replace(',', ";")),
        form("empty", "nothing", ""),
        case("workbook", "schema-mismatch", "a workbook under another name", "a.csv", b"PK\x03\x04\x14\x00\x06\x00".to_vec()),
        case("utf-16", "schema-mismatch", "another encoding, without a mark", "a.csv", utf_16),
        case("latin-1", "records-invalid", "a letter that is no UTF-8", "a.csv", [HEADER.as_bytes(), b"Z0000001,,2026-11-22,,,JOS\xc9\n"].concat()),
        rows("key-twice", "the primary key of an earlier row", &with("Z0000002,", "Z0000001,")),
        rows("reference-dangling", "a leader who is in no row", &with("Z0000002,Z0000001", "Z0000002,Z0000009")),
        rows("required-missing", "a required cell is empty", &with("Z0000001,,2026-11-22", "Z0000001,,")),
        rows("pattern", "a number of another form", &with("Z0000002,", "X0000002,")),
        rows("digits-of-other-scripts", "digits that look as those of the pattern", &with("Z0000002,", "Z000000\u{662},")),
        rows("day-first", "a date with the day first", &with("2026-12-01", "01/12/2026")),
        rows("day-of-no-month", "a date that does not exist", &with("2026-12-01", "2026-11-31")),
        rows("rule-across", "back before the departure", &with("2026-12-01", "2026-11-21")),
        rows("minimum", "a number below its bound", &with("0.10", "-0.10")),
        rows("too-long", "a text beyond its length", &with("TIRUNA", "TIRUNATIRUNAT")),
        rows("formula", "a text that a spreadsheet runs", &with("TIRUNA", "=1+1")),
        rows("exponent", "a number as a spreadsheet shows it", &with("1000000000000", "1E+12")),
        rows("cells-too-few", "a row of fewer cells", &with(",0.10,TIRUNA", ",0.10")),
        rows("row-blank", "an empty line between", &with("TIRUNA\n", "TIRUNA\n\n")),
        rows("quotation-mark", "a mark inside an open cell", &with("TIRUNA", "TI\"RUNA")),
        rows("control-character", "an invisible character", &with("TIRUNA", "TIR\u{7}UNA")),
        csv("rows-too-many", "too-large", "more rows than the flow allows", &format!("{table}{}", ROWS.replace("Z000000", "Z100000").replace(",Z1000001", ",").replace("TIRUNA", "LATIHAN").replace("BA", "DA"))),
        json("json-member-twice", "records-invalid", "a member twice", &swap(LINES, "\"ketua\":null", "\"ketua\":null,\"ketua\":null")),
        json("json-member-missing", "schema-mismatch", "a column is missing in a line", &swap(LINES, "\"ketua\":null,", "")),
        json("json-member-unknown", "schema-mismatch", "a line with one more", &swap(LINES, "\"ketua\":null", "\"ketua\":null,\"alamat\":1")),
        json("json-number-for-text", "records-invalid", "a number where a text is agreed", &swap(LINES, "\"TIRUNA\"", "7")),
        json("json-array", "records-invalid", "one array instead of lines", "[{\"nomor\":\"Z0000001\"}]\n"),
    ]
}

fn reversed(rows: &str) -> String {
    let mut lines: Vec<&str> = rows.lines().collect();
    lines.reverse();
    lines.join("\n")
}

/// FORMAT.md section 17, in its own words.
fn hash_total(cells: &[&str]) -> u128 {
    let of = |cell: &&str| {
        let hex = digest(cell).replace("sha256:", "");
        u128::from_str_radix(hex.get(..32).unwrap_or_default(), 16).unwrap_or_default()
    };
    cells.iter().map(of).fold(0, u128::wrapping_add)
}

/// The text of the agreement, its first flow one of tables.
fn text() -> String {
    let files = "\"kind\": \"files\",\n\"schema\": null, \"import\": null, \"totals\": [], \"bytes_max\": 1000000, \"records_max\": null";
    let pinned = digest(SCHEMA);
    let table = format!(
        "\"kind\": \"table\",\n\"schema\": \"{pinned}\", \"import\": {{\"mode\": \"replace\", \"key\": [\"nomor\"], \"partition\": \"berangkat\"}}, \
         \"totals\": [\"biaya\", \"nomor\"], \"bytes_max\": 1000000, \"records_max\": 1000"
    );
    swap(&agreement(), files, &table)
}

/// Signed by both, with these schema files before the signatures.
fn cosigned(text: &str, schemas: &[(String, &str)]) -> Vec<u8> {
    let [ours, theirs] =
        [KEMENHAJ, IMIGRASI].map(|seed| key(seed).sign(Purpose::Agreement, text.as_bytes()));
    let mut files = vec![("agreement.json", text.as_bytes())];
    let schemas = schemas.iter();
    files.extend(schemas.map(|(name, bytes)| (name.as_str(), bytes.as_bytes())));
    files.push(("agreement.json.imigrasi.sig", theirs.as_bytes()));
    files.push(("agreement.json.kemenhaj.sig", ours.as_bytes()));
    container::pack(&files)
}

fn file_of(schema: &str) -> String {
    format!("schema-{}.json", digest(schema).replace("sha256:", ""))
}

/// Agreements with a flow of tables.
// One case a line, as in a table.
#[rustfmt::skip]
pub(crate) fn agreements() -> Vec<Case> {
    let case = |name: &str, expect: &str, comment: &str, container: Vec<u8>| {
        Case::new(&format!("agreement/{name}"), expect, comment, container)
            .with("cards", "card/ok-kemenhaj card/ok-imigrasi")
            .with("at", "2026-11-22T20:33:00Z")
    };
    let text = text();
    let own = [(file_of(SCHEMA), SCHEMA)];
    let with = |piece: &str, other: &str| cosigned(&swap(&text, piece, other), &own);
    let other = swap(SCHEMA, r#""name": "uji""#, r#""name": "lain""#);
    let unusable = swap(SCHEMA, r#""type": "number""#, r#""type": "object""#);
    let pins_unusable = swap(&text, &digest(SCHEMA), &digest(&unusable));
    vec![
        case("ok-table", "ok", "a flow of tables, with the schema that it pins", cosigned(&text, &own)),
        case("table-schema-missing", "refused", "the pinned schema is not in the container", cosigned(&text, &[])),
        case("table-schema-altered", "refused", "the file of that name has other bytes", cosigned(&text, &[(file_of(SCHEMA), &other)])),
        case("table-schema-unpinned", "refused", "one schema file more, which no flow pins", cosigned(&text, &sorted(&[SCHEMA, &other]))),
        case("table-schema-unusable", "refused", "the pinned schema has a type that nests", cosigned(&pins_unusable, &[(file_of(&unusable), &unusable)])),
        case("table-key-other", "refused", "a key that is not the schema's", with(r#""key": ["nomor"]"#, r#""key": ["nama"]"#)),
        case("table-partition-optional", "refused", "replaces by a column that may be empty", with(r#""partition": "berangkat""#, r#""partition": "pulang""#)),
        case("table-mode-unknown", "refused", "a way of importing that is not in the list", with(r#""mode": "replace""#, r#""mode": "merge""#)),
        case("table-append-by-part", "refused", "appends and replaces at once", with(r#""mode": "replace""#, r#""mode": "append""#)),
        case("table-total-unknown", "refused", "a total of a column that is not there", with(r#""totals": ["biaya", "nomor"]"#, r#""totals": ["berat"]"#)),
        case("table-total-twice", "refused", "a total twice", with(r#""totals": ["biaya", "nomor"]"#, r#""totals": ["biaya", "biaya"]"#)),
        case("table-records-max-zero", "refused", "no row is allowed", with(r#""records_max": 1000"#, r#""records_max": 0"#)),
    ]
}

/// In the order of their digests, as the container has them.
fn sorted<'s>(schemas: &[&'s str]) -> Vec<(String, &'s str)> {
    let mut files: Vec<(String, &str)> = schemas
        .iter()
        .map(|schema| (file_of(schema), *schema))
        .collect();
    files.sort();
    files
}
