//! Why a schema cannot be used: for the two system administrators who draft an agreement, in the words of the standard.
//! It repeats a column's name, and nothing of any table.

/// Why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// No strict JSON of this shape: unknown, missing or ill-formed member.
    #[error("schema: {0}")]
    Json(String),
    /// A rule of its own.
    #[error("schema: {0}")]
    Rule(String),
    /// A rule on one column.
    #[error("schema: column {field:?}: {rule}")]
    Field {
        /// The column's name, cut to what may be shown.
        field: String,
        /// The rule broken.
        rule: String,
    },
}

impl SchemaError {
    pub(in crate::table) fn rule(text: &str) -> Self {
        Self::Rule(text.to_owned())
    }

    pub(in crate::table) fn in_field(name: &str, rule: &str) -> Self {
        let rule = rule.strip_prefix("schema: ").unwrap_or(rule);
        Self::Field {
            field: crate::document::excerpt(name),
            rule: rule.to_owned(),
        }
    }
}
