//! The configuration as written: every table of `amanah.toml`, unknown fields refused. Meaning is given by `checked`.
//! Nothing is checked here beyond the types; defaults stand here and nowhere else.

use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf};

/// `amanah.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    /// Our party id.
    pub party: String,
    /// The home; relative paths start at the configuration's folder. Default `.`.
    #[serde(default = "here")]
    pub home: PathBuf,
    /// Private keys. Default `keys`.
    pub keys: Option<PathBuf>,
    /// `id` or `en`, for texts left in the home. Default `id`.
    #[serde(default)]
    pub language: crate::catalogue::Language,
    /// Take the keys of `keys-example/`, which everybody has: for a trial on loopback only.
    #[serde(default)]
    pub example_keys: bool,
    /// Only where peers dial us.
    pub listen: Option<Listen>,
    /// By party id.
    #[serde(default)]
    pub peer: BTreeMap<String, Peer>,
    /// How drops are taken.
    #[serde(default)]
    pub outbox: Outbox,
    /// How bundles are sealed.
    #[serde(default)]
    pub seal: Seal,
    /// Where imports land.
    #[serde(default)]
    pub store: Store,
    /// Bounds.
    #[serde(default)]
    pub limits: Limits,
    /// Only where somebody collects metrics.
    pub metrics: Option<Metrics>,
    /// Only where an alarm starts a command.
    pub alarm: Option<Alarm>,
}

fn here() -> PathBuf {
    PathBuf::from(".")
}

/// `[listen]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// `address:port`, the VPN's; a wildcard address is refused unless `any_address = true`.
    pub address: String,
    /// Networks that may connect (CIDR).
    pub networks: Vec<String>,
    /// `preferred` (default) or `required`, for all that dial us.
    pub post_quantum: Option<crate::transport::client::PostQuantum>,
    /// Listen on every address of this machine, knowingly.
    #[serde(default)]
    pub any_address: bool,
}

/// `[peer.NAME]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// `host:port` when this side dials; absent: the peer dials us.
    pub dial: Option<String>,
    /// `preferred` (default) or `required`.
    pub post_quantum: Option<crate::transport::client::PostQuantum>,
    /// Instead of `dial`: a server between the two.
    pub drop: Option<Drop>,
}

/// `[peer.NAME.drop]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drop {
    /// `host:port`
    pub address: String,
    /// Our account there.
    pub user: String,
    /// Its host key: `ssh-ed25519 AAAA…`.
    pub host_key: String,
    /// The folder that we write into and the peer reads from.
    pub put: String,
    /// The folder that the peer writes into and we read from.
    pub get: String,
}

/// `[outbox]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outbox {
    /// A file about which no event tells is settled when unchanged for so long; five times as long where somebody may have had
    /// it open before anybody listened.
    pub quiet_secs_files: u32,
    /// The same for a folder.
    pub quiet_secs_folders: u32,
    /// The outbox is scanned at least this often, whatever the events say.
    pub scan_secs: u32,
    /// Most items in one bundle of a files flow.
    pub batch_items_max: u32,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            quiet_secs_files: 2,
            quiet_secs_folders: 60,
            scan_secs: 30,
            batch_items_max: 256,
        }
    }
}

/// `[seal]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Seal {
    /// zstd level, 1 to 19.
    pub level: i32,
    /// Compression threads; 0 compresses in the sealing thread itself.
    pub workers: u32,
    /// How long a bundle may travel.
    pub expires_days: u32,
}

impl Default for Seal {
    fn default() -> Self {
        Self {
            level: 1,
            workers: 3,
            expires_days: 30,
        }
    }
}

/// `[store]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// `files`: what files flows land in.
    pub kind: String,
    /// A database for table flows; without it they land as files.
    pub tables: Option<Tables>,
}

/// `[store.tables]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tables {
    /// `sqlite` or `postgres`.
    pub kind: String,
    /// Of `sqlite`: the database's file, absolute or below the home. Default `store/tables.sqlite`.
    pub path: Option<PathBuf>,
    /// Of `sqlite`: `owner` (default) or `group`: who else may read it.
    pub readers: Option<crate::store::sqlite::Readers>,
    /// Of `postgres`: where it is, without a password. Left out: the key file `postgres-url` has it.
    pub url: Option<String>,
    /// Of `postgres`: the schema that the tables lie in. Default `amanah`.
    pub schema: Option<String>,
    /// Table flows that land as files all the same.
    #[serde(default)]
    pub as_files: Vec<String>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            kind: "files".into(),
            tables: None,
        }
    }
}

/// `[metrics]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// A loopback address and port, for `GET /metrics`.
    pub listen: Option<String>,
    /// A file that is replaced, for a collector of text files.
    pub file: Option<PathBuf>,
}

/// `[alarm]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// A program and its fixed arguments.
    pub command: Vec<String>,
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Free space that incoming data never takes.
    pub free_bytes_min: u64,
    /// What one peer's unfinished uploads and bundles that wait for their import may take together.
    pub peer_bytes_max: u64,
    /// Connections at one time, over all peers.
    pub connections_max: u32,
    /// How long a refused bundle is kept that no agreement known here speaks for.
    pub quarantine_days: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            free_bytes_min: 256 * 1024 * 1024,
            peer_bytes_max: 1024 * 1024 * 1024 * 1024,
            connections_max: 256,
            quarantine_days: 90,
        }
    }
}
