//! A server of PostgreSQL from Debian's package, in a temporary folder, on a Unix socket and a loopback port of its own, with the role
//! that the shipped script makes. It can be killed and started again at any moment, and ends with its `Postgres`.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use amanah::demo::waiting::until;
use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::certificates;

/// Where Debian has the servers of each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// The server refuses to run as root, and wants a user that the machine knows: `nobody`.
const USER: u32 = 65_534;
/// The database.
const DATABASE: &str = "jemaah";
/// Who may everything there.
const ADMIN: &str = "pengelola";
/// The role's password; nobody's but this server's.
pub const PASSWORD: &str = "sandi-uji-8d1f";
/// Longest start, which replays what a crash left.
const START: Duration = Duration::from_secs(60);

/// The server.
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    running: Option<Child>,
}

impl Postgres {
    /// Makes and starts one.
    ///
    /// # Errors
    /// The package is missing, or it does not start.
    pub fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("pg-").tempdir()?;
        if is_root() {
            chown(folder.path(), Some(USER), Some(USER))?;
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let mut server = Self {
            programs: programs()?,
            folder,
            port,
            running: None,
        };
        let cluster = server.cluster().to_string_lossy().into_owned();
        server.stock(
            "initdb",
            &[
                "-D",
                &cluster,
                "--no-sync",
                "-U",
                ADMIN,
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ],
        )?;
        let socket = server.folder.path().display();
        server.configure(&format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{socket}'\nshared_buffers = 16MB\n\
             max_wal_size = 64MB\nmax_connections = 24\nlog_connections = on\n"
        ))?;
        fs::write(
            server.cluster().join("pg_hba.conf"),
            "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
        )?;
        server.again()?;
        server.stock(
            "createdb",
            &[
                "-h",
                &server.socket(),
                "-p",
                &port.to_string(),
                "-U",
                ADMIN,
                DATABASE,
            ],
        )?;
        Ok(server)
    }

    /// The same, with the role and schema that the shipped script makes.
    ///
    /// # Errors
    /// As `start`; the script fails.
    pub fn granted(script: &Path) -> Result<Self> {
        let server = Self::start()?;
        let script = fs::read_to_string(script)?;
        server.ask(&script)?;
        server.ask(&format!("ALTER ROLE amanah PASSWORD '{PASSWORD}'"))?;
        Ok(server)
    }

    /// Adds to its configuration; for the next start.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn configure(&self, lines: &str) -> Result<()> {
        let file = self.cluster().join("postgresql.conf");
        let text = fs::read_to_string(&file)?;
        Ok(fs::write(file, text + lines)?)
    }

    /// Has it serve TLS by a certificate that a new authority of its own signed for 127.0.0.1; the authority's file.
    ///
    /// # Errors
    /// `openssl` fails; the files cannot be written.
    pub fn certify(&mut self) -> Result<PathBuf> {
        let authority = certificates::authority(self.folder.path(), "ca")?;
        let [certificate, key] = certificates::for_loopback(self.folder.path(), &authority)?;
        if is_root() {
            chown(&key, Some(USER), Some(USER))?;
        }
        self.configure(&format!(
            "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\n",
            certificate.display(),
            key.display()
        ))?;
        self.stop()?;
        self.again()?;
        Ok(authority)
    }

    /// Its loopback port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// A folder for files beside it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The URL of its Unix socket, for this role.
    #[must_use]
    pub fn url(&self, role: &str) -> String {
        format!(
            "postgresql:///{DATABASE}?host={}&port={}&user={role}",
            self.socket(),
            self.port
        )
    }

    /// The URL of a loopback port, with the role's password; `rest` begins with `?`.
    #[must_use]
    pub fn url_of_port(port: u16, rest: &str) -> String {
        format!("postgresql://amanah:{PASSWORD}@127.0.0.1:{port}/{DATABASE}{rest}")
    }

    /// Another empty schema that the role may use.
    ///
    /// # Errors
    /// There is one of that name.
    pub fn schema(&self, name: &str) -> Result<()> {
        let words = format!("CREATE SCHEMA {name}; GRANT USAGE, CREATE ON SCHEMA {name} TO amanah");
        self.ask(&words).map(drop)
    }

    /// Lines of an answer to the administrator, as `psql` prints them.
    ///
    /// # Errors
    /// What the server says.
    pub fn ask(&self, words: &str) -> Result<String> {
        let ran = Command::new(self.programs.join("psql"))
            .args([
                "-X",
                "-q",
                "-At",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                &self.socket(),
            ])
            .args([
                "-p",
                &self.port.to_string(),
                "-U",
                ADMIN,
                "-d",
                DATABASE,
                "-c",
                words,
            ])
            .stdin(Stdio::null())
            .output()?;
        ensure!(
            ran.status.success(),
            "{words}: {}",
            String::from_utf8_lossy(&ran.stderr)
        );
        let said = String::from_utf8(ran.stdout)?;
        Ok(said.trim_end_matches('\n').to_owned())
    }

    /// Starts it again, and waits until it serves.
    ///
    /// # Errors
    /// It does not.
    pub fn again(&mut self) -> Result<()> {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))?;
        let mut command = self.as_owner("postgres");
        command.arg("-D").arg(self.cluster());
        command.stdout(Stdio::null()).stderr(log);
        let child = started(command)?;
        self.running = Some(child);
        let (programs, socket, port) =
            (self.programs.clone(), self.socket(), self.port.to_string());
        until("the server", START, || {
            if let Some(status) = self
                .running
                .as_mut()
                .map(Child::try_wait)
                .transpose()?
                .flatten()
            {
                bail!("it ended ({status}): {}", self.log());
            }
            let ready = Command::new(programs.join("pg_isready"))
                .args(["-q", "-h", &socket, "-p", &port])
                .status()?;
            Ok(ready.success().then_some(()))
        })
    }

    /// Ends it at once: no checkpoint, nothing is finished (`pg_ctl stop -m immediate`).
    ///
    /// # Errors
    /// It is not running.
    pub fn crash(&mut self) -> Result<()> {
        self.end(Signal::QUIT)
    }

    /// Ends it in order.
    ///
    /// # Errors
    /// It is not running.
    pub fn stop(&mut self) -> Result<()> {
        self.end(Signal::INT)
    }

    fn end(&mut self, signal: Signal) -> Result<()> {
        let mut child = self.running.take().context("it is not running")?;
        let id = i32::try_from(child.id())?;
        kill_process(Pid::from_raw(id).context("a process")?, signal)?;
        child.wait()?;
        Ok(())
    }

    /// What it wrote.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Gives all files of the cluster to the user whose they are: after others were put in their place.
    ///
    /// # Errors
    /// A file of it cannot be given away.
    pub fn hand_over(&self) -> Result<()> {
        if !is_root() {
            return Ok(());
        }
        let ran = Command::new("chown")
            .arg("-R")
            .arg(format!("{USER}:{USER}"))
            .arg(self.cluster())
            .status()?;
        ensure!(ran.success(), "chown: {ran}");
        Ok(fs::set_permissions(
            self.cluster(),
            fs::Permissions::from_mode(0o700),
        )?)
    }

    /// The folder of its data.
    #[must_use]
    pub fn cluster(&self) -> PathBuf {
        self.folder.path().join("d")
    }

    fn socket(&self) -> String {
        self.folder.path().to_string_lossy().into_owned()
    }

    /// A program of the package, run by the user whose cluster it is.
    fn as_owner(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        // Whatever becomes of the test, its server does not outlive it.
        command.arg("--pdeathsig=QUIT");
        if is_root() {
            let user = [format!("--reuid={USER}"), format!("--regid={USER}")];
            command.args(user).arg("--clear-groups");
        }
        command.arg("--").arg(self.programs.join(program));
        command
            .stdin(Stdio::null())
            .process_group(0)
            .current_dir(self.folder.path());
        command
    }

    fn stock(&self, program: &str, words: &[&str]) -> Result<()> {
        let ran = self.as_owner(program).args(words).output()?;
        let said = String::from_utf8_lossy(&ran.stderr);
        ensure!(ran.status.success(), "{program}: {said}");
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Where a test ends it, there is nothing to end.
        let _ = self.crash();
    }
}

/// Starts a process that ends with this one: the kernel watches the thread that started it, so that one stays.
fn started(mut command: Command) -> Result<Child> {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        // Whoever asked waits for it.
        let _ = tell.send(command.spawn());
        loop {
            std::thread::park();
        }
    });
    Ok(told.recv()??)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The folder of the newest version's programs.
fn programs() -> Result<PathBuf> {
    let versions =
        fs::read_dir(VERSIONS).with_context(|| format!("{VERSIONS}: install postgresql"))?;
    let found = versions.filter_map(|entry| {
        let path = entry.ok()?.path();
        let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
        let programs = path.join("bin");
        programs
            .join("initdb")
            .exists()
            .then_some((version, programs))
    });
    let newest = found
        .max()
        .context("no server of PostgreSQL is installed")?;
    Ok(newest.1)
}
