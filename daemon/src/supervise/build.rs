//! Opens everything that a daemon is made of, in the order in which it depends on each other, and brings it to where a crash left it.
//! The order is that of SPOOL.md §5, "what a start does": whatever is wrong in configuration or keys is found before
//! the home is touched. Secrets go to the stages that use them and stay nowhere else.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use amanah_format::id::PartyId;
use amanah_format::recipient::Identity;
use amanah_format::seal::SealOptions;

use crate::bell::Bell;
use crate::clock::Clock;
use crate::config::checked::{Config, Peer};
use crate::engine::outbound::Outbound;
use crate::journal::{Journal, JournalError, Page};
use crate::keys::OwnKeys;
use crate::metrics::Metrics;
use crate::spool::Spool;
use crate::stage::acknowledge::Acknowledge;
use crate::stage::admit::Admit;
use crate::stage::arrive::Arrive;
use crate::stage::board::Board;
use crate::stage::by_hand::{ByHand, Tickets};
use crate::stage::collect::Collect;
use crate::stage::door::Door;
use crate::stage::early::Early;
use crate::stage::import::{Import, Tables};
use crate::stage::junk::Junk;
use crate::stage::position::{Gates, doubted};
use crate::stage::publish::{Publish, Side};
use crate::stage::retention::Retention;
use crate::stage::room::Room;
use crate::stage::seal::Seal;
use crate::stage::settle::Settle;
use crate::stage::settled::Quiet;
use crate::stage::signer::Signer;
use crate::stage::streams::Streams;
use crate::stage::witness::Showing;
use crate::stage::{Bells, Node, Rules, StageError, Stop};
use crate::store::files::FilesStore;
use crate::store::table::Stores;
use crate::watch::Watch;

use super::alarms::{self, Alarms};
use super::secrets::{self, SigningKeys};
use super::{RunError, reload, tables};

/// Everything, before any of it runs.
pub(super) struct Parts {
    pub(super) node: Arc<Node>,
    pub(super) collect: Collect,
    pub(super) seal: Seal,
    pub(super) import: Import,
    pub(super) acknowledge: Acknowledge,
    pub(super) settle: Arc<Settle>,
    pub(super) retention: Retention,
    pub(super) streams: Streams,
    pub(super) publish: Publish,
    pub(super) metrics: Arc<Metrics>,
    pub(super) alarms: Alarms,
    pub(super) arrive: Arc<Arrive>,
    pub(super) by_hand: ByHand,
    pub(super) door: Arc<Door>,
    pub(super) room: Room,
    pub(super) transport: Arc<OwnKeys>,
    peers: Vec<PartyId>,
}

/// Opens home, journal and keys; makes the stages.
pub(super) fn parts(config: &Config) -> Result<Parts, RunError> {
    let clock = Clock::default();
    let peers: Vec<PartyId> = config.peers.iter().map(|peer| peer.party.clone()).collect();
    let (policy, _) = config.policy(clock.now())?;
    let secrets = secrets::read(config, &policy)?;
    let alarm_command = alarms::command(config)?;
    let start = |error: &dyn std::fmt::Display| RunError::Start(error.to_string());
    let spool = Spool::open(&config.home, &peers).map_err(|error| start(&error))?;
    let journal = Journal::open(&spool.journal(), &config.party, clock.now());
    let journal = journal.map_err(|error| {
        if matches!(error, JournalError::Foreign { .. }) {
            return RunError::Foreign(error.to_string());
        }
        start(&error)
    })?;
    let bells = Bells::for_peers(peers.iter());
    let node = Arc::new(Node {
        spool,
        journal,
        rules: Rules::new(policy),
        clock,
        board: Board::ringing(bells.alarm.clone()),
        junk: Junk::default(),
        tickets: Tickets::default(),
        gates: Gates::for_peers(peers.iter()),
        early: Early::ringing(bells.early.clone()),
        showing: Showing::default(),
        bells,
        stop: Stop::default(),
        handing_back: Mutex::default(),
    });
    look_for_doubt(&node, &peers)?;
    // What the journal knows was judged before counts again, though a key that signed it has ended since.
    let (policy, loaded) = reload::read_papers(config, &node)?;
    node.rules.replace(policy);
    reload::settle_in(config, &node, &loaded)?;
    let alarms = Alarms::new(Arc::clone(&node), alarm_command);
    assemble(config, node, secrets, (peers, alarms))
}

/// Whether this home looks like a copy: another file than the journal of the last start, a published ledger that is longer
/// than the journal's, or a new journal beside old receipts. Towards each peer the doubt stays until it has answered.
fn look_for_doubt(node: &Node, peers: &[PartyId]) -> Result<(), StageError> {
    const IDENTITY: &str = "journal identity";
    let (journal, spool) = (&node.journal, &node.spool);
    let identity = spool.journal_identity();
    let known = journal.fact(IDENTITY)?;
    let size = journal.checkpoint()?.size;
    let published = spool.published_size();
    let is_copy = known.is_some() && identity.is_some() && known != identity;
    let is_new = known.is_none() && size == 1 && spool.has_past();
    if published > size {
        tracing::error!(
            size,
            published,
            "the journal is older than the ledger that it published"
        );
        spool.set_ledger_aside(published)?;
    }
    if is_copy || is_new || published > size {
        for peer in peers {
            journal.set_fact(&doubted(peer), Some("yes"))?;
        }
    }
    journal.set_fact(IDENTITY, identity.as_deref())?;
    for peer in peers {
        if journal.fact(&doubted(peer))?.is_some() {
            node.gates.doubt(peer);
            node.board
                .alarm("home-copied", peer.as_str(), node.clock.now());
        }
    }
    Ok(())
}

fn assemble(
    config: &Config,
    node: Arc<Node>,
    (keys, identities): (SigningKeys, Vec<Identity>),
    (peers, alarms): (Vec<PartyId>, Alarms),
) -> Result<Parts, RunError> {
    let metrics = Arc::new(Metrics::new(config.metrics.file.clone()));
    let (store, tables) = stores(config, &node)?;
    let tables = tables.map(Arc::new);
    let retention = retention(config, (&node, &keys.signing), &store, tables.as_ref());
    let room = room(config);
    let signing = Arc::clone(&keys.signing);
    let settle = Arc::new(Settle {
        node: Arc::clone(&node),
    });
    let arrive = arrive(&node, &keys.signing, (&settle, &store));
    Ok(Parts {
        collect: collect(config, &node),
        seal: seal(config, &node, &keys.signing),
        import: Import {
            node: Arc::clone(&node),
            identities,
            store: store.files,
            tables,
            rechecked: Arc::clone(&retention.rechecked),
            under_way: Mutex::default(),
        },
        streams: Streams {
            node: Arc::clone(&node),
            signing: Arc::clone(&keys.signing),
            peers: peers.clone(),
            asked: Mutex::default(),
        },
        acknowledge: Acknowledge {
            node: Arc::clone(&node),
            signing: keys.signing,
        },
        settle,
        retention,
        publish: Publish::new(
            Arc::clone(&node),
            (keys.ledger, Arc::clone(&signing)),
            sides(config),
            Arc::clone(&metrics),
        ),
        metrics,
        alarms,
        door: Arc::new(Door {
            node: Arc::clone(&node),
            arrive: Arc::clone(&arrive),
            room,
        }),
        by_hand: ByHand {
            arrive: Arc::clone(&arrive),
            free_bytes_min: config.limits.free_bytes_min,
        },
        arrive,
        room,
        transport: keys.transport,
        peers,
        node,
    })
}

fn retention(
    config: &Config,
    (node, signing): (&Arc<Node>, &Arc<Signer>),
    store: &Stores,
    tables: Option<&Arc<Tables>>,
) -> Retention {
    Retention {
        node: Arc::clone(node),
        signing: Arc::clone(signing),
        files: Arc::clone(&store.files),
        tables: tables.cloned(),
        rechecked: Arc::default(),
        quarantine_days: config.limits.quarantine_days,
        seen: Mutex::default(),
    }
}

fn arrive(
    node: &Arc<Node>,
    signing: &Arc<Signer>,
    (settle, store): (&Arc<Settle>, &Stores),
) -> Arc<Arrive> {
    Arc::new(Arrive {
        node: Arc::clone(node),
        admit: Admit {
            node: Arc::clone(node),
            signing: Arc::clone(signing),
            held: Mutex::default(),
        },
        store: store.clone(),
        settle: Arc::clone(settle),
    })
}

fn seal(config: &Config, node: &Arc<Node>, signing: &Arc<Signer>) -> Seal {
    Seal {
        node: Arc::clone(node),
        signing: Arc::clone(signing),
        options: SealOptions {
            level: config.seal.level,
            workers: config.seal.workers,
        },
        expires_days: config.seal.expires_days,
    }
}

const fn room(config: &Config) -> Room {
    Room {
        free_bytes_min: config.limits.free_bytes_min,
        peer_bytes_max: config.limits.peer_bytes_max,
    }
}

fn collect(config: &Config, node: &Arc<Node>) -> Collect {
    let watch = Watch::start(&node.spool.outboxes(), Bell::clone(&node.bells.collect));
    let watch = watch
        .inspect_err(|error| tracing::warn!("{error}; only scans see new items"))
        .ok();
    let secs = |secs: u32| Duration::from_secs(u64::from(secs));
    let quiet = Quiet {
        files: secs(config.outbox.quiet_secs_files),
        folders: secs(config.outbox.quiet_secs_folders),
    };
    let items_max = usize::try_from(config.outbox.batch_items_max).unwrap_or(1);
    Collect::new(
        Arc::clone(node),
        watch,
        quiet,
        items_max,
        secs(config.outbox.scan_secs),
    )
}

/// A new store is made once in a home's life: later a missing one is a disk that is not mounted, never an empty one.
fn create_once(node: &Node, store: &FilesStore) -> Result<(), StageError> {
    const MADE: &str = "store made";
    if node.journal.fact(MADE)?.is_none() {
        store.create()?;
        node.journal.set_fact(MADE, Some("files"))?;
    }
    Ok(())
}

/// All stores, and the one for tables with the flows that it does not take.
fn stores(config: &Config, node: &Node) -> Result<(Stores, Option<Tables>), RunError> {
    let files = FilesStore::new(node.spool.inbox());
    files.sweep();
    create_once(node, &files)?;
    let tables = tables::tables(config, node)?;
    let stores = Stores {
        files: Arc::new(files),
        tables: tables.as_ref().map(|tables| Arc::clone(&tables.store)),
    };
    Ok((stores, tables))
}

/// Each peer, and who dials.
fn sides(config: &Config) -> Vec<(PartyId, Side)> {
    let listens = config.listen.is_some();
    let peers = config.peers.iter();
    peers
        .map(|peer| (peer.party.clone(), side(peer, listens)))
        .collect()
}

const fn side(peer: &Peer, listens: bool) -> Side {
    if peer.dial.is_some() || peer.drop.is_some() {
        Side::Dial
    } else if !listens {
        Side::Hand
    } else {
        Side::Listen
    }
}

impl Parts {
    /// Brings files and journal together where a crash left them apart; every stage then goes on by itself.
    pub(super) fn recover(&self) -> Result<(), RunError> {
        let unfinished = self
            .node
            .journal
            .outbound_in(&[Outbound::Sealed, Outbound::Signed], Page::first(u32::MAX))
            .map_err(StageError::from)?;
        let keep: Vec<_> = unfinished.iter().map(|row| row.bundle).collect();
        self.node
            .spool
            .sweep_work(&keep)
            .map_err(StageError::from)?;
        self.collect.recover()?;
        self.arrive.admit.recover(&self.peers)?;
        Ok(())
    }
}
