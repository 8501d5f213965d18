//! Vectors of tables (FORMAT.md section 17): a schema is read or refused; a table is sound, with the rows and totals of its header, or
//! has the code that a receipt would have.

use std::fs;

use amanah_format::table::{Checked, Dialect, Memory, Plan, Rows, Schema, check};

use super::{Case, Outcome, folder, header, says};

/// Whether the schema can be used.
pub(super) fn schema(case: &Case) -> Outcome {
    says(Schema::parse(&case.bytes).is_ok())
}

/// What the check says of a table.
pub(super) fn table(case: &Case) -> Outcome {
    let name = header(case, "schema")?;
    let pinned = Case::parse(name, &fs::read(folder().join(name))?).ok_or("not a vector")?;
    let schema = Schema::parse(&pinned.bytes)?;
    let plan = Plan {
        schema: &schema,
        dialect: Dialect::of_name(header(case, "name")?),
        rows_max: Some(header(case, "records-max")?.parse()?),
        totals: schema.totals(),
        key: [5; 16],
    };
    let mut content = case.bytes.as_slice();
    let found = check(&mut content, &plan, &mut Memory::default(), &mut Rows)?;
    match found.report.refusal() {
        Some(refusal) => Ok(refusal.code().to_owned()),
        None => counted(case, &found),
    }
}

/// As many rows and the totals that the header has.
fn counted(case: &Case, found: &Checked) -> Outcome {
    let totals = found.totals.iter();
    let totals: Vec<String> = totals
        .map(|(name, total)| format!("{name}={total}"))
        .collect();
    let said = (found.rows.to_string(), totals.join(" "));
    let declared = (header(case, "records")?, header(case, "totals")?);
    if (said.0.as_str(), said.1.as_str()) == declared {
        return Ok("ok".to_owned());
    }
    Err(format!("{said:?} counted").into())
}
