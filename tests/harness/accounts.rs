//! Three users on one machine, as `systemd/` sets them up: the daemon, an operator in the operators' group, somebody else. The
//! folders are made by systemd's own tool from the shipped file, with numbers in place of names that the machine need not have.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use amanah::demo::launch::Launch;
use amanah::demo::ministry::Ministry;
use amanah_format::home;
use anyhow::{Context, Result, ensure};

use crate::exchange::Exchange;

/// The daemon's user and group.
pub const DAEMON: u32 = 64_001;
/// An operator.
pub const OPERATOR: u32 = 64_002;
/// Somebody else on the machine.
pub const OTHER: u32 = 64_003;
/// The operators' group: the daemon and the operator are in it.
pub const OPERATORS: u32 = 64_010;

/// A pair whose daemons, operators and configuration belong to different users.
pub struct Accounts {
    /// The pair; its commands are the operator's.
    pub exchange: Exchange,
    /// How each daemon is started.
    pub daemons: [Launch; 2],
    /// The program where every user can start it.
    pub program: PathBuf,
}

impl Accounts {
    /// Founds a pair as root, then gives everything to whom it belongs. `tmpfiles` is the text of the shipped file.
    ///
    /// # Errors
    /// Not root, or a tool is missing.
    pub fn found(program: &Path, tmpfiles: &str) -> Result<Self> {
        let mut exchange = Exchange::found(program)?;
        let ground = exchange.folder().to_owned();
        fs::set_permissions(&ground, fs::Permissions::from_mode(0o755))?;
        let copy = ground.join("amanah");
        fs::copy(program, &copy)?;
        let mut launches = Vec::new();
        for ministry in [&mut exchange.pair.phu, &mut exchange.pair.imigrasi] {
            hand_over(ministry, tmpfiles)?;
            let credentials = ground.join(format!("{}-credentials", ministry.party()));
            serve_credentials(ministry.folder(), &credentials)?;
            let daemon = as_user(&Launch::of(&copy), DAEMON, &[OPERATORS]);
            launches.push(daemon.with("CREDENTIALS_DIRECTORY", &credentials.to_string_lossy()));
            ministry.types_through(as_user(&Launch::of(&copy), OPERATOR, &[OPERATORS]));
        }
        let daemons = launches.try_into().ok().context("two daemons")?;
        Ok(Self {
            exchange,
            daemons,
            program: copy,
        })
    }

    /// Starts both daemons as their user and waits until they are connected.
    ///
    /// # Errors
    /// One does not come up.
    pub fn start(&mut self) -> Result<()> {
        let [phu, imigrasi] = &self.daemons;
        let pair = &mut self.exchange.pair;
        for (ministry, launch) in [(&mut pair.imigrasi, imigrasi), (&mut pair.phu, phu)] {
            ministry.launch_daemon(launch)?;
            ministry.until_up()?;
        }
        pair.until_connected()
    }

    /// How somebody else starts the program.
    #[must_use]
    pub fn other(&self) -> Launch {
        as_user(&Launch::of(&self.program), OTHER, &[])
    }
}

/// The same program, started as this user; with no groups but its own and these.
#[must_use]
pub fn as_user(launch: &Launch, user: u32, groups: &[u32]) -> Launch {
    let groups = match groups {
        [] => "--clear-groups".to_owned(),
        some => format!(
            "--groups={}",
            some.iter()
                .map(u32::to_string)
                .collect::<Vec<_>>()
                .join(",")
        ),
    };
    let words: [OsString; 5] = [
        "setpriv".into(),
        format!("--reuid={user}").into(),
        format!("--regid={user}").into(),
        groups.into(),
        "--".into(),
    ];
    launch.clone().through(&words)
}

/// Puts the home beside the configuration's folder, made as the shipped file says; the configuration stays root's.
fn hand_over(ministry: &mut Ministry, tmpfiles: &str) -> Result<()> {
    let home = ministry.folder().with_extension("home");
    let config = ministry.folder().join(home::CONFIG);
    let text = fs::read_to_string(&config)?;
    let moved = text.replace(
        "home = \".\"",
        &format!("home = {:?}", home.to_string_lossy()),
    );
    ensure!(
        moved != text,
        "{}: says nothing of the home",
        config.display()
    );
    fs::write(&config, moved)?;
    let lines = with_numbers(tmpfiles, ministry.folder(), &home);
    let file = ministry.folder().with_extension("tmpfiles");
    fs::write(&file, lines)?;
    let made = Command::new("systemd-tmpfiles")
        .arg("--create")
        .arg(&file)
        .output()
        .context("systemd-tmpfiles")?;
    ensure!(
        made.status.success(),
        "systemd-tmpfiles: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    fs::set_permissions(ministry.folder(), fs::Permissions::from_mode(0o755))?;
    ministry.lives_in(home);
    Ok(())
}

/// The shipped lines for other paths, and with numbers for the two names.
fn with_numbers(tmpfiles: &str, config: &Path, home: &Path) -> String {
    tmpfiles
        .replace("/var/lib/amanah", &home.to_string_lossy())
        .replace("/etc/amanah", &config.to_string_lossy())
        .replace("amanah-operators", &OPERATORS.to_string())
        .replace(" amanah ", &format!(" {DAEMON} "))
        .replace(" amanah ", &format!(" {DAEMON} "))
        .replace("user:amanah:", &format!("user:{DAEMON}:"))
}

/// The keys as systemd serves them: in a folder of the daemon's own, while the originals stay root's.
fn serve_credentials(config: &Path, credentials: &Path) -> Result<()> {
    fs::create_dir(credentials)?;
    for key in [
        home::KEY_SIGNING,
        home::KEY_TRANSPORT,
        home::KEY_LEDGER,
        home::KEY_DECRYPTION,
    ] {
        let from = config.join(key);
        let to = credentials.join(from.file_name().context("a key without a name")?);
        fs::copy(&from, &to)?;
        chown(&to, Some(DAEMON), Some(DAEMON))?;
        fs::set_permissions(&to, fs::Permissions::from_mode(0o400))?;
    }
    chown(credentials, Some(DAEMON), Some(DAEMON))?;
    fs::set_permissions(credentials, fs::Permissions::from_mode(0o500))?;
    Ok(())
}
