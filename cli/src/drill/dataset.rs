//! The datasets that the ministries exchange, D1 to D9: names, schemas, and how many rows an exercise has of each. The schemas of
//! `docs/datasets` are built in, and the header of a table is read from its schema.

use serde_json::Value;

/// A table of an exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dataset {
    /// D1.
    UmrahManifest,
    /// D2.
    HajjManifest,
    /// D3.
    Register,
    /// D4.
    Crossings,
    /// D5, the question.
    PassportQuery,
    /// D5, the answer.
    PassportReply,
    /// D6.
    Findings,
    /// D6, the people of a finding.
    FindingPeople,
    /// D7.
    FollowUps,
    /// D8.
    Corrections,
    /// D9.
    Figures,
}

/// Everything that is said of one.
struct About {
    dataset: Dataset,
    code: &'static str,
    name: &'static str,
    schema: &'static str,
    /// Rows of an ordinary day, or of one file where there is no day.
    rows: u64,
}

macro_rules! about {
    ($($dataset:ident $code:literal $name:literal $rows:literal,)+) => {
        &[$(About {
            dataset: Dataset::$dataset,
            code: $code,
            name: $name,
            schema: include_str!(concat!("../../../docs/datasets/", $code, "-", $name, ".schema.json")),
            rows: $rows,
        }),+]
    };
}

const ALL: &[About] = about! {
    UmrahManifest "d1" "manifes-umrah" 6_300,
    HajjManifest "d2" "manifes-haji" 425,
    Register "d3" "registri-penyelenggara" 3_000,
    Crossings "d4" "perlintasan" 12_600,
    PassportQuery "d5" "cek-paspor" 2_000,
    PassportReply "d5" "status-paspor" 2_000,
    Findings "d6" "temuan" 40,
    FindingPeople "d6" "temuan-orang" 400,
    FollowUps "d7" "tindak-lanjut" 80,
    Corrections "d8" "ralat" 20,
    Figures "d9" "rekap" 200,
};

/// Of what is in no list.
const NONE: About = About {
    dataset: Dataset::Figures,
    code: "",
    name: "",
    schema: "",
    rows: 0,
};

impl Dataset {
    /// All of them, in their order.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(|about| about.dataset)
    }

    fn about(self) -> &'static About {
        let found = ALL.iter().find(|about| about.dataset == self);
        // INVARIANT: ALL has every dataset; a test walks them.
        found.unwrap_or(&NONE)
    }

    /// Those that a word means: `D1`, `manifes-umrah`, `all`; `D5` and `D6` are two tables each.
    #[must_use]
    pub fn named(word: &str) -> Vec<Self> {
        let meant = |about: &&About| {
            word == "all" || word == about.name || about.code.eq_ignore_ascii_case(word)
        };
        let found = ALL.iter().filter(meant);
        found.map(|about| about.dataset).collect()
    }

    /// `d1`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.about().code
    }

    /// `manifes-umrah`: also the name of its flow, and of its file before `.csv`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.about().name
    }

    /// The schema file's exact text.
    #[must_use]
    pub fn schema(self) -> &'static str {
        self.about().schema
    }

    /// Rows that are usual.
    #[must_use]
    pub fn usual_rows(self) -> u64 {
        self.about().rows
    }

    /// The columns, in their order, as the schema has them.
    #[must_use]
    pub fn columns(self) -> Vec<String> {
        let schema: Value = serde_json::from_str(self.schema()).unwrap_or_default();
        let fields = schema.get("fields").and_then(Value::as_array);
        let names = fields.into_iter().flatten().filter_map(|field| {
            let name = field.get("name").and_then(Value::as_str);
            name.map(str::to_owned)
        });
        names.collect()
    }

    /// So many travel that a table of their journeys has at least `rows` rows.
    pub(crate) fn travellers_for(self, rows: u64) -> u64 {
        match self {
            Self::UmrahManifest => rows * 14 / 10 + 600,
            Self::Crossings => rows * 6 / 10 + 600,
            Self::Findings => rows * 160 + 3_000,
            Self::FindingPeople => rows * 8 + 3_000,
            Self::FollowUps => rows * 120 + 3_000,
            Self::Corrections => rows * 20 + 600,
            Self::Figures => rows * 25 + 600,
            Self::HajjManifest | Self::Register | Self::PassportQuery | Self::PassportReply => 0,
        }
    }

    /// Rows beside the journeys of so many travellers, where a table has more than enough of its own.
    pub(crate) fn rows_beside(self, travellers: u64) -> Option<u64> {
        match self {
            Self::HajjManifest => Some(travellers / 6 + 40),
            Self::Register => Some(super::agency::LICENCES),
            Self::PassportQuery | Self::PassportReply => Some(travellers / 10 + 20),
            Self::Corrections => Some(travellers / 500 + 5),
            Self::UmrahManifest
            | Self::Crossings
            | Self::Findings
            | Self::FindingPeople
            | Self::FollowUps
            | Self::Figures => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dataset_is_found_by_its_code_and_its_name() {
        for dataset in Dataset::all() {
            assert_eq!(Dataset::named(dataset.name()), [dataset]);
            assert!(Dataset::named(dataset.code()).contains(&dataset));
            assert!(Dataset::named(&dataset.code().to_uppercase()).contains(&dataset));
            assert!(dataset.columns().len() >= 4, "{}", dataset.name());
        }
        assert_eq!(Dataset::named("all").len(), 11);
        assert_eq!(Dataset::named("D6").len(), 2);
        assert!(Dataset::named("d10").is_empty());
    }
}
