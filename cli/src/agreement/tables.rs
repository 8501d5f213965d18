//! The table flows of a draft that somebody wrote in an editor: the schema is named by its file, beside the text; what the draft pins
//! is the digest of that file's exact bytes, and it carries them. What the schema says already need not be said twice.

use std::path::Path;

use amanah_format::{digest::Digest, table::Schema};
use serde_json::{Value, json};

use crate::{exit::Outcome, papers};

/// Puts digests where the draft at `path` names schema files; returns those files' bytes.
pub(super) fn pinned(value: &mut Value, path: &Path) -> Outcome<Vec<Vec<u8>>> {
    let mut files = Vec::new();
    let flows = value.get_mut("flows").and_then(Value::as_array_mut);
    for flow in flows.into_iter().flatten() {
        let Some(named) = flow.get("schema").and_then(Value::as_str) else {
            continue;
        };
        let file = path.with_file_name(named);
        let bytes = papers::read(&file)?;
        let schema = Schema::parse(&bytes).map_err(|error| papers::malformed(&file, error))?;
        complete(flow, &schema);
        if let Some(pin) = flow.get_mut("schema") {
            *pin = json!(Digest::of(&bytes));
        }
        files.push(bytes);
    }
    Ok(files)
}

/// Rows are appended, and those totals are compared that the schema proposes, unless the draft says otherwise.
fn complete(flow: &mut Value, schema: &Schema) {
    if let Some(import) = flow.get_mut("import").filter(|import| import.is_null()) {
        *import = json!({"mode": "append"});
    }
    if let Some(Value::Object(import)) = flow.get_mut("import") {
        import.entry("key").or_insert_with(|| json!([]));
        import.entry("partition").or_insert(Value::Null);
    }
    let proposed = schema
        .totals()
        .iter()
        .filter_map(|place| schema.fields().get(*place));
    let proposed: Vec<&str> = proposed.map(|field| field.name()).collect();
    if let Some(totals) = flow
        .get_mut("totals")
        .filter(|totals| totals.as_array().is_some_and(Vec::is_empty))
    {
        *totals = json!(proposed);
    }
}
