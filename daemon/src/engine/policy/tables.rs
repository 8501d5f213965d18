//! What an agreement says of a table flow, as both sides' checks need it: the pinned schema, the bound on rows, the totals.
//! The recipient asks by its own copy of the agreement that the manifest names.

use std::sync::Arc;

use amanah_format::agreement::{CoSigned, Flow, FlowKind};
use amanah_format::digest::Digest;
use amanah_format::id::FlowName;
use amanah_format::table::Schema;

use super::Policy;

/// The terms of a table flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableTerms {
    /// Columns and rules.
    pub schema: Arc<Schema>,
    /// Most rows of a table.
    pub rows_max: Option<u64>,
    /// Places of the columns whose totals are compared.
    pub totals: Vec<usize>,
}

impl TableTerms {
    /// None of a flow that carries files.
    pub(super) fn of(found: &CoSigned, flow: &Flow) -> Option<Self> {
        if flow.kind != FlowKind::Table {
            return None;
        }
        let schema = Arc::clone(found.schema(flow)?);
        let places = flow.totals.iter().map(|name| schema.place(name));
        let totals = places.collect::<Option<Vec<_>>>()?;
        Some(Self {
            schema,
            rows_max: flow.records_max,
            totals,
        })
    }
}

/// What a flow carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carries {
    /// Files as they are.
    Files,
    /// A table.
    Table(TableTerms),
}

impl Policy {
    /// What the flow of this agreement carries; `None` where the agreement, or the flow in it, is not known here.
    #[must_use]
    pub fn carries(&self, agreement: &Digest, flow: &FlowName) -> Option<Carries> {
        let found = self.rules.find(agreement)?;
        let flow = found.agreement().flow(flow)?;
        match flow.kind {
            FlowKind::Files => Some(Carries::Files),
            FlowKind::Table => TableTerms::of(found, flow).map(Carries::Table),
        }
    }
}
