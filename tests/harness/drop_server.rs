//! A blind drop: a stock OpenSSH server with two folders and no knowledge of us, on a loopback port of its own; and a pair of
//! ministries that can reach nothing but it. The server ends with its `DropServer`.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use amanah::demo::launch::Launch;
use amanah::demo::ministry::Ministry;
use amanah::demo::pair::free_address;
use amanah::demo::waiting::until;
use amanah_format::home;
use amanah_format::id::PartyId;
use anyhow::{Context, Result};
use tempfile::TempDir;

use super::exchange::Exchange;

/// From Debian's openssh-server; it demands to be started by its whole path.
const SSHD: &str = "/usr/sbin/sshd";
/// Its folder for processes without privileges, made by its service at each start of the machine.
const PRIVSEP: &str = "/run/sshd";
/// Longest run of a stock program.
const COMMAND: Duration = Duration::from_secs(30);

/// The server and its two folders.
pub struct DropServer {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl DropServer {
    /// Starts it for these two; each then has the other's folder to put and its own to get.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(both: [&Ministry; 2]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("titipan-").tempdir()?;
        let address = free_address()?;
        let place = |name: &str| folder.path().join(name);
        let host_key = place("host_key").to_string_lossy().into_owned();
        keygen(&["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", &host_key])?;
        let mut authorized = String::new();
        for ministry in both {
            fs::create_dir(place(&folder_of(ministry.party())))?;
            let key = ministry.folder().join(home::KEY_TRANSPORT);
            authorized += &keygen(&["-y", "-f", &key.to_string_lossy()])?;
        }
        fs::write(place("authorized_keys"), authorized)?;
        fs::write(place("config"), config(folder.path(), address))?;
        if rustix::process::getuid().is_root() {
            fs::create_dir_all(PRIVSEP)?;
        }
        let child = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(place("config"))
            .stdin(Stdio::null())
            .stderr(fs::File::create(place("log"))?)
            .spawn()
            .context(SSHD)?;
        let server = Self {
            child,
            address,
            folder,
        };
        until("the drop", COMMAND, || {
            Ok(TcpStream::connect(address).ok().map(drop))
        })?;
        Ok(server)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where things lie for a party.
    #[must_use]
    pub fn waiting_for(&self, party: &PartyId) -> PathBuf {
        self.folder.path().join(folder_of(party))
    }

    /// What lies there for a party, whole; oldest name first.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn whole_for(&self, party: &PartyId, ending: &str) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.waiting_for(party))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.split_once('.').is_some_and(|(_, rest)| rest == ending) {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }

    /// The configuration of a party that has this drop between itself and a peer.
    fn join(&self, own: &Ministry, peer: &PartyId) -> Result<()> {
        let key = fs::read_to_string(self.folder.path().join("host_key.pub"))?;
        let user = Launch::of(Path::new("id")).run(&["-un"], COMMAND)?;
        let (put, get) = (self.waiting_for(peer), self.waiting_for(own.party()));
        let text = format!(
            "party = \"{}\"\n\n[peer.{peer}]\n\n[peer.{peer}.drop]\naddress = \"{}\"\nuser = \"{}\"\n\
             host_key = \"{}\"\nput = \"{}\"\nget = \"{}\"\n",
            own.party(),
            self.address,
            user.stdout.trim(),
            key.trim(),
            put.display(),
            get.display()
        );
        Ok(fs::write(own.folder().join(home::CONFIG), text)?)
    }
}

impl Drop for DropServer {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A founded pair whose only way to each other is a drop; no daemon runs.
///
/// # Errors
/// A command fails, or the server does not start.
pub fn apart(program: &Path) -> Result<(Exchange, DropServer)> {
    let exchange = Exchange::found(program)?;
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    let server = DropServer::start([phu, imigrasi])?;
    server.join(phu, imigrasi.party())?;
    server.join(imigrasi, phu.party())?;
    Ok((exchange, server))
}

fn folder_of(party: &PartyId) -> String {
    format!("to-{party}")
}

fn keygen(words: &[&str]) -> Result<String> {
    let ran = Launch::of(Path::new("ssh-keygen")).run(words, COMMAND)?;
    Ok(ran.succeeded()?.stdout)
}

fn config(folder: &Path, address: SocketAddr) -> String {
    let (folder, host, port) = (folder.display(), address.ip(), address.port());
    format!(
        "ListenAddress {host}\nPort {port}\nHostKey {folder}/host_key\nPidFile none\n\
         AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n\
         AllowTcpForwarding no\nSubsystem sftp internal-sftp\nForceCommand internal-sftp\n"
    )
}
