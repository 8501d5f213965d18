//! Stock OpenSSH against our server: what its `sftp` does works, or is refused with a message; `ssh` gets no command.
//! The tools run as an administrator would run them, in batch mode with their own key and known host; skipping is no
//! option, `check` installs them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use tempfile::TempDir;

use super::*;

/// A stock client's own folder: its key, its known host, its files.
struct Stock {
    folder: TempDir,
    port: String,
}

impl Stock {
    fn against(ministry: &Ministry) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = ministry.server.address.port().to_string();
        let own = folder.path().join("key");
        fs::write(&own, key(CLIENT_SEED).to_openssh("").as_bytes()).unwrap();
        fs::set_permissions(&own, Permissions::from_mode(0o600)).unwrap();
        let known = format!("[127.0.0.1]:{port} {}\n", key(SERVER_SEED).public());
        fs::write(folder.path().join("known"), known).unwrap();
        Self { folder, port }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn options(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args([
            "-F",
            "/dev/null",
            "-oBatchMode=yes",
            "-oIdentitiesOnly=yes",
            "-oStrictHostKeyChecking=yes",
        ]);
        command.arg(format!(
            "-oUserKnownHostsFile={}",
            self.path("known").display()
        ));
        command
            .arg(format!("-oPort={}", self.port))
            .arg("-i")
            .arg(self.path("key"));
        command.current_dir(self.folder.path());
        command
    }

    /// Runs these lines in `sftp -b`; what it printed, and whether each line succeeded.
    async fn sftp(&self, lines: &str, extra: &[&str]) -> Output {
        fs::write(self.path("batch"), lines).unwrap();
        let mut command = self.options("sftp");
        command
            .args(extra)
            .arg("-b")
            .arg(self.path("batch"))
            .arg(format!("{USER}@127.0.0.1"));
        run(command).await
    }
}

async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || {
        command
            .output()
            .expect("OpenSSH's client is needed for this test")
    })
    .await
    .unwrap()
}

fn printed(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn same(path: &Path, bytes: &[u8]) -> bool {
    fs::read(path).unwrap() == bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_sftp_puts_lists_and_hands_over() {
    let ministry = ministry().await;
    let stock = Stock::against(&ministry);
    let (name, bytes) = (bundle("a"), pattern(3_000_001));
    fs::write(stock.path("local"), &bytes).unwrap();
    for (posix, legacy) in [("", ""), ("-f -p ", "-l ")] {
        let lines = format!(
            "cd /incoming\nput {posix}local {name}.part\nls -l\nrename {legacy}{name}.part {name}\nls -l /incoming\n"
        );
        let output = stock.sftp(&lines, &[]).await;
        assert!(output.status.success(), "{}", printed(&output));
        assert!(
            printed(&output).contains(&format!("{name}.part")),
            "{}",
            printed(&output)
        );
        assert_eq!(
            ministry.memory.state().received.remove(&name).as_deref(),
            Some(&bytes[..])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_sftp_resumes_an_upload_and_a_download() {
    let ministry = ministry().await;
    let stock = Stock::against(&ministry);
    let (name, bytes) = (bundle("a"), pattern(1_000_000));
    fs::write(stock.path("local"), &bytes).unwrap();
    fs::write(stock.path("fetched"), &bytes[..300_000]).unwrap();
    ministry
        .memory
        .state()
        .parts
        .insert(name, (bytes[..400_000].to_vec(), 400_000));
    ministry
        .memory
        .state()
        .offers
        .insert(name, Arc::new(bytes.clone()));
    let lines = format!("reput local /incoming/{name}.part\nreget /outgoing/{name} fetched\n");
    let output = stock.sftp(&lines, &[]).await;
    assert!(output.status.success(), "{}", printed(&output));
    assert_eq!(ministry.memory.state().parts[&name].0, bytes);
    assert!(same(&stock.path("fetched"), &bytes));
    // `put` starts afresh.
    fs::write(stock.path("local"), b"short").unwrap();
    let output = stock
        .sftp(&format!("put local /incoming/{name}.part\n"), &[])
        .await;
    assert!(output.status.success(), "{}", printed(&output));
    assert_eq!(ministry.memory.state().parts[&name].0, b"short");
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_sftp_lists_gets_and_removes_what_waits() {
    let ministry = ministry().await;
    let stock = Stock::against(&ministry);
    let (bytes, name) = (pattern(700_000), receipt("a"));
    ministry
        .memory
        .state()
        .offers
        .insert(name, Arc::new(bytes.clone()));
    let lines = format!("ls -l\ncd outgoing\nls -l\nget {name} fetched\nrm {name}\nls\n");
    let output = stock.sftp(&lines, &[]).await;
    assert!(output.status.success(), "{}", printed(&output));
    assert!(printed(&output).contains("700000"), "{}", printed(&output));
    assert!(same(&stock.path("fetched"), &bytes));
    assert!(ministry.memory.state().offers.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stock_sftp_may_not_do_is_refused() {
    let ministry = ministry().await;
    let stock = Stock::against(&ministry);
    fs::write(stock.path("local"), b"bytes").unwrap();
    let name = bundle("a");
    ministry
        .memory
        .state()
        .offers
        .insert(name, Arc::new(b"bytes".to_vec()));
    for line in [
        "put local /incoming/other".to_owned(),
        format!("put local /incoming/{name}"),
        format!("put local /outgoing/{name}"),
        "put local ../../etc/x".to_owned(),
        format!("rm /outgoing/{name}"),
        format!("rm /incoming/{name}"),
        format!("rename /outgoing/{name} /outgoing/{}", bundle("b")),
        "get /etc/passwd x".to_owned(),
        "mkdir /incoming/x".to_owned(),
        "rmdir /incoming".to_owned(),
        "chmod 777 /incoming".to_owned(),
        format!("ln /outgoing/{name} /incoming/x"),
        format!("ln -s /etc /outgoing/{}", bundle("b")),
        "cd /etc".to_owned(),
        "df /".to_owned(),
    ] {
        let output = stock.sftp(&format!("{line}\n"), &[]).await;
        assert!(
            !output.status.success(),
            "{line} was allowed: {}",
            printed(&output)
        );
    }
    let state = ministry.memory.state();
    assert_eq!(
        (state.offers.len(), state.parts.len(), state.received.len()),
        (1, 0, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_large_requests_in_flight_do_not_deadlock() {
    let ministry = ministry().await;
    let stock = Stock::against(&ministry);
    let (name, bytes) = (bundle("a"), pattern(48 << 20));
    fs::write(stock.path("local"), &bytes).unwrap();
    ministry
        .memory
        .state()
        .offers
        .insert(name, Arc::new(bytes.clone()));
    let lines = format!("put local /incoming/{name}.part\nget /outgoing/{name} fetched\n");
    for extra in [
        &["-R", "256", "-B", "261120"][..],
        &["-R", "1024", "-B", "4096"],
    ] {
        let output = stock.sftp(&lines, extra).await;
        assert!(output.status.success(), "{}", printed(&output));
        assert!(same(&stock.path("fetched"), &bytes));
        assert!(ministry.memory.state().parts[&name].0 == bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_ssh_gets_no_command_and_no_shell() {
    let ministry = ministry().await;
    let stock = Stock::against(&ministry);
    for arguments in [&["id"][..], &["-tt"], &["-W", "127.0.0.1:22"]] {
        let mut command = stock.options("ssh");
        let (flags, words): (Vec<&str>, Vec<&str>) =
            arguments.iter().partition(|word| **word != "id");
        command
            .args(flags)
            .arg(format!("{USER}@127.0.0.1"))
            .args(words);
        let output = run(command).await;
        assert!(
            !output.status.success(),
            "{arguments:?}: {}",
            printed(&output)
        );
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_opens_no_door() {
    let ministry = ministry().await;
    let stock = Stock::against(&ministry);
    let stranger = stock.path("stranger");
    fs::write(&stranger, key(STRANGER_SEED).to_openssh("").as_bytes()).unwrap();
    fs::set_permissions(&stranger, Permissions::from_mode(0o600)).unwrap();
    let public = key(STRANGER_SEED).public().to_string();
    fs::write(stock.path("stranger.pub"), public).unwrap();
    // Certified by the very key that may log in: it vouches for nobody.
    let mut certify = Command::new("ssh-keygen");
    certify.current_dir(stock.folder.path());
    certify.args(["-q", "-s", "key", "-I", USER, "-n", USER, "stranger.pub"]);
    let certified = run(certify).await;
    assert!(certified.status.success(), "{}", printed(&certified));
    let mut command = Command::new("ssh");
    command.args(["-F", "/dev/null", "-oBatchMode=yes", "-oIdentitiesOnly=yes"]);
    command.arg(format!(
        "-oUserKnownHostsFile={}",
        stock.path("known").display()
    ));
    command.arg(format!(
        "-oCertificateFile={}",
        stock.path("stranger-cert.pub").display()
    ));
    command.arg("-i").arg(&stranger);
    command.args([
        "-p",
        &stock.port,
        "-s",
        &format!("{USER}@127.0.0.1"),
        "sftp",
    ]);
    let output = run(command).await;
    assert!(!output.status.success());
    let said = printed(&output);
    assert!(said.contains("Permission denied (publickey)"), "{said}");
    assert!(ministry.server.connected().is_empty());
}
