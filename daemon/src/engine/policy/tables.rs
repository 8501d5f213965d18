//! What an agreement says of a table flow, as both sides' checks need it: the pinned schema, the bound on rows, the totals.
//! The recipient asks by its own copy of the agreement that the manifest names.

use std::collections::BTreeSet;
use std::sync::Arc;

use amanah_format::agreement::{CoSigned, Flow, FlowKind};
use amanah_format::digest::Digest;
use amanah_format::id::{FlowName, PartyId};
use amanah_format::table::Schema;

use super::Policy;

/// The name of a schema whose rows correct those of other flows, and the columns by which they do (dataset D8).
const CORRECTIONS: &str = "ralat";
/// Which flow, which bundle of it, which row, whether it is withdrawn, and the row that replaces it.
pub const CORRECTING: [&str; 5] = ["alur", "ref_kiriman", "ref_kunci", "jenis", "baris_baru"];

/// The terms of a table flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableTerms {
    /// Columns and rules.
    pub schema: Arc<Schema>,
    /// Most rows of a table.
    pub rows_max: Option<u64>,
    /// Places of the columns whose totals are compared.
    pub totals: Vec<usize>,
    /// How its rows meet those that a database has.
    pub landing: Landing,
}

/// How the rows of a bundle meet those of the bundles before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    /// Added, merged, or in their place.
    pub mode: Mode,
    /// Places of the columns that name a row; may be empty.
    pub key: Vec<usize>,
    /// The column each of whose values is replaced as a whole.
    pub partition: Option<usize>,
}

/// See [`Landing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Rows are added.
    Append,
    /// Rows take the place of those with their key.
    Upsert,
    /// The table's rows, or those of the partitions that the bundle has, go before.
    Replace,
}

impl Mode {
    /// The agreement's word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Upsert => "upsert",
            Self::Replace => "replace",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        let all = [Self::Append, Self::Upsert, Self::Replace];
        all.into_iter().find(|mode| mode.as_str() == word)
    }
}

impl Landing {
    /// A flow that says nothing appends.
    fn of(flow: &Flow, schema: &Schema) -> Option<Self> {
        // Where the agreement names no key, the schema's names a row all the same; where it names one, it is that.
        let key = schema.primary_key().to_vec();
        let Some(import) = &flow.import else {
            return Some(Self {
                mode: Mode::Append,
                key,
                partition: None,
            });
        };
        let partition = match &import.partition {
            Some(name) => Some(schema.place(name)?),
            None => None,
        };
        Some(Self {
            mode: Mode::parse(&import.mode)?,
            key,
            partition,
        })
    }
}

impl TableTerms {
    /// Whether its rows correct those of the sender's other flows.
    #[must_use]
    pub fn corrects(&self) -> bool {
        let has = |name: &&str| self.schema.place(name).is_some();
        self.schema.name() == Some(CORRECTIONS) && CORRECTING.iter().all(has)
    }

    /// None of a flow that carries files.
    pub(super) fn of(found: &CoSigned, flow: &Flow) -> Option<Self> {
        if flow.kind != FlowKind::Table {
            return None;
        }
        let schema = Arc::clone(found.schema(flow)?);
        let places = flow.totals.iter().map(|name| schema.place(name));
        let totals = places.collect::<Option<Vec<_>>>()?;
        Some(Self {
            landing: Landing::of(flow, &schema)?,
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

    /// The table flows of this agreement that `from` sends, with their schemas.
    #[must_use]
    pub fn tables_of(&self, agreement: &Digest, from: &PartyId) -> Vec<(FlowName, Arc<Schema>)> {
        let Some(found) = self.rules.find(agreement) else {
            return Vec::new();
        };
        let flows = found.agreement().flows.iter();
        let theirs = flows.filter(|flow| flow.from == *from);
        theirs
            .filter_map(|flow| Some((flow.name.clone(), TableTerms::of(found, flow)?.schema)))
            .collect()
    }

    /// The table flows from others, each with its sender, whose bundles land in a database strictly in the order of their
    /// numbers: a later one that came first would be undone by the earlier.
    #[must_use]
    pub fn in_sequence(&self) -> BTreeSet<(PartyId, FlowName)> {
        let agreed = self.agreements().iter().flat_map(|known| {
            let flows = known.agreement().flows.iter();
            flows.filter_map(|flow| Some((flow, TableTerms::of(known, flow)?)))
        });
        agreed
            .filter(|(flow, terms)| {
                flow.to == self.own && (terms.landing.mode != Mode::Append || terms.corrects())
            })
            .map(|(flow, _)| (flow.from.clone(), flow.name.clone()))
            .collect()
    }
}
