//! The daemon confines itself (Landlock) before it opens the home, speaks to anybody or starts a thread: whoever takes it over
//! reaches the home and, for reading, its configuration and what the C library needs to find a name; runs no program; binds its
//! own port and dials its peers' and its database server's alone. A configured alarm command runs under the same rules, so it
//! widens them: see `for_alarms`.
//! On a kernel without it everything works, and the log says that it is not there.
//! What is named here is fixed at the start: another home, peer or address needs a restart anyhow.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, NetPort,
    PathBeneath, PathFd, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetError, Scope,
};

use crate::config::checked::Config;

/// The newest rules that are asked for; an older kernel enforces those that it has.
const NEWEST: ABI = ABI::V6;
/// What resolving a host's name, telling the local time and counting the processors read. Missing ones are passed over.
const READ: [&str; 17] = [
    "/usr",
    "/lib",
    "/lib64",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/resolv.conf",
    "/etc/services",
    "/run/systemd/resolve",
    "/run/systemd/machines",
    "/dev/random",
    "/dev/urandom",
    "/proc/self",
    "/sys/fs/cgroup",
];
/// What may be written beside the home.
const WRITTEN: &str = "/dev/null";
/// This machine's authorities, for a database server that is reached over TLS.
#[cfg(feature = "postgres")]
const AUTHORITIES: [&str; 4] = [
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/usr/local/share/ca-certificates",
];
/// A resolver falls back to TCP where an answer is long.
const DNS: u16 = 53;

/// Confines this process for ever. Called while it has one thread.
pub(super) fn confine(config: &Config) {
    match restrict(config) {
        Ok(Some(status)) => tell(&status),
        Ok(None) => tracing::warn!(
            "not confined: this kernel has no Landlock that lets files move between folders (5.19 and newer have it)"
        ),
        Err(error) => tracing::warn!("not confined: {error}"),
    }
    #[cfg(feature = "kill-points")]
    probe::all();
}

/// None: the kernel cannot.
fn restrict(config: &Config) -> Result<Option<RestrictionStatus>, RulesetError> {
    // Its first version forbids every move from one folder into another, and files move here all the time.
    let moves = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::Refer);
    if moves.is_err() {
        return Ok(None);
    }
    let mut handled = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .scope(Scope::Signal)?;
    if config.alarm_command.is_none() {
        handled = handled.handle_access(AccessNet::from_all(NEWEST))?;
    }
    let mut rules = handled.create()?;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let everything = AccessFs::from_all(NEWEST) & !BitFlags::from(AccessFs::Execute);
    for place in with_links(&config.home) {
        rules = allow(rules, &place, everything)?;
    }
    let folders = [Some(&config.keys.folder), config.keys.credentials.as_ref()];
    let own = with_links(&config.folder).into_iter();
    let own = own.chain(folders.into_iter().flatten().cloned());
    for place in own.chain([config.file.clone()]) {
        rules = allow(rules, &place, read)?;
    }
    for place in READ {
        rules = allow(rules, Path::new(place), read)?;
    }
    rules = allow(rules, Path::new(WRITTEN), read | AccessFs::WriteFile)?;
    // Where a test lets an instant wait (see `kill`).
    #[cfg(feature = "kill-points")]
    if let Some(gates) = std::env::var_os("AMANAH_HOLD_IN") {
        rules = allow(rules, Path::new(&gates), everything)?;
    }
    if let Some(folder) = config.tables.as_ref().and_then(|tables| tables.folder()) {
        rules = allow(rules, folder, everything)?;
    }
    for place in server(config).1 {
        rules = allow(rules, &place, read)?;
    }
    if let Some(folder) = config.metrics.file.as_ref().and_then(|file| file.parent()) {
        rules = allow(rules, folder, everything)?;
    }
    let rules = match config.alarm_command {
        Some(_) => for_alarms(rules)?,
        None => ports(rules, config)?,
    };
    rules.restrict_self().map(Some)
}

/// What an alarm command needs cannot be known here: it may read and run what this user may, and speak to anybody. It still
/// writes nowhere but where the daemon does.
fn for_alarms(rules: RulesetCreated) -> Result<RulesetCreated, RulesetError> {
    let access = AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::Execute;
    allow(rules, Path::new("/"), access)
}

/// Binds where it listens, dials its peers.
fn ports(mut rules: RulesetCreated, config: &Config) -> Result<RulesetCreated, RulesetError> {
    let listen = config.listen.iter().map(|listen| listen.address.port());
    let metrics = config.metrics.listen.iter().map(|address| address.port());
    for port in listen.chain(metrics) {
        rules = rules.add_rule(NetPort::new(port, AccessNet::BindTcp))?;
    }
    for port in dialled(config).into_iter().chain(server(config).0) {
        rules = rules.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
    }
    Ok(rules)
}

/// One place and what is below it; one that is not there needs no rule.
fn allow(
    rules: RulesetCreated,
    place: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let access = match place.is_dir() {
        true => access,
        false => access & AccessFs::from_file(NEWEST),
    };
    match PathFd::new(place) {
        Ok(opened) => rules.add_rule(PathBeneath::new(opened, access)),
        Err(_) => Ok(rules),
    }
}

/// A folder, and where the links in it lead: an outbox or inbox may lie on another disk.
fn with_links(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let links = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
    let mut places: Vec<PathBuf> = links.map(|entry| entry.path()).collect();
    places.push(folder.to_owned());
    places
}

/// The ports of all that this side dials.
fn dialled(config: &Config) -> Vec<u16> {
    let addresses = config.peers.iter().flat_map(|peer| {
        let drop = peer.drop.as_ref().map(|drop| &drop.address);
        peer.dial.iter().chain(drop)
    });
    let ports = addresses.filter_map(|address| address.rsplit_once(':')?.1.parse().ok());
    ports.chain([DNS]).collect()
}

/// Of a database server, the ports that are dialled, and where the authorities are that it is verified by. A URL that cannot be
/// read is said at the start, which comes after this.
#[cfg(feature = "postgres")]
fn server(config: &Config) -> (Vec<u16>, Vec<PathBuf>) {
    let Ok(Some(address)) = super::tables::server::address(config) else {
        return Default::default();
    };
    let authorities = match address.ca() {
        Some(file) => vec![file.to_owned()],
        None if address.has_tls() => AUTHORITIES.iter().map(PathBuf::from).collect(),
        None => Vec::new(),
    };
    (address.ports(), authorities)
}

#[cfg(not(feature = "postgres"))]
fn server(_: &Config) -> (Vec<u16>, Vec<PathBuf>) {
    Default::default()
}

fn tell(status: &RestrictionStatus) {
    let abi = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => format!("{effective_abi:?}"),
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => "none".to_owned(),
    };
    tracing::info!(abi, enforced = ?status.ruleset, no_new_privs = status.no_new_privs, "confined by Landlock");
}

/// What a test has the confined process try, because from outside nobody can see what it may: `AMANAH_PROBE` holds words of the
/// form `read:PATH`, `write:PATH`, `run:PATH`, `dial:ADDRESS`, separated by spaces.
#[cfg(feature = "kill-points")]
mod probe {
    use std::io;

    pub(super) fn all() {
        let words = std::env::var("AMANAH_PROBE").unwrap_or_default();
        for word in words.split_whitespace() {
            let outcome =
                one(word).map_or_else(|error| error.kind().to_string(), |()| "allowed".into());
            tracing::info!("probe {word} = {outcome}");
        }
    }

    fn one(word: &str) -> io::Result<()> {
        let (act, what) = word.split_once(':').ok_or(io::ErrorKind::InvalidInput)?;
        match act {
            "read" => std::fs::File::open(what).map(drop),
            "write" => std::fs::File::create(what).map(drop),
            "run" => std::process::Command::new(what).status().map(drop),
            "dial" => std::net::TcpStream::connect(what).map(drop),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }
}
