//! OpenSSH's `ssh` with the peer's key: no command, no shell, and no way through the daemon's machine to another. What is
//! refused is refused at once and in words: `ssh` never waits for an answer.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::time::Duration;

use amanah_tests::waiting::until;
use rustix::process::{Pid, Signal, kill_process};

use super::stage::Stage;

const SSH: &str = ". ./settings; exec ssh -F none -oBatchMode=yes -oUserKnownHostsFile=known_hosts -i $key -p $port";
/// Longest wait for anything that `ssh` does.
const ANSWER: Duration = Duration::from_secs(15);

#[test]
fn no_command_shell_or_forwarding_is_granted() {
    let stage = Stage::set();
    let before = stage.touched();
    for (flags, command, words) in [
        ("", "id", "exec request failed"),
        ("-T", "", "shell request failed"),
        ("-tt", "", "PTY allocation request failed"),
        ("-s", "netconf", "subsystem request failed"),
        ("-oSetEnv=LANG=C", "id", "exec request failed"),
        ("-W 127.0.0.1:22", "", "prohibited"),
        ("-W localhost:22", "", "prohibited"),
        (
            "-N -oExitOnForwardFailure=yes -R 127.0.0.1:0:127.0.0.1:9",
            "",
            "forwarding failed",
        ),
        (
            "-N -oExitOnForwardFailure=yes -R 0",
            "",
            "forwarding failed",
        ),
        (
            "-N -oExitOnForwardFailure=yes -R /tmp/amanah.sock:127.0.0.1:9",
            "",
            "forwarding failed",
        ),
        ("-A", "id", "exec request failed"),
        (
            "-oHostKeyAlgorithms=ssh-rsa",
            "id",
            "no matching host key type",
        ),
        (
            "-oPreferredAuthentications=password",
            "id",
            "Permission denied",
        ),
        ("-l root", "id", "Permission denied"),
        ("-l imigrasi", "id", "Permission denied"),
    ] {
        let script = format!("{SSH} {flags} -oUser=$party $host {command}");
        let printed = stage.sh(&stage.small, &script).refused(&script);
        assert!(printed.contains(words), "{flags} {command}: {printed}");
    }
    let display = format!("DISPLAY=127.0.0.1:9; export DISPLAY; {SSH} -Y $party@$host id");
    let printed = stage.sh(&stage.small, &display).refused("X11");
    assert!(
        printed.contains("X11 forwarding request failed"),
        "{printed}"
    );
    assert_eq!(stage.touched(), before);
    stage.settles();
}

/// A port of this machine that nobody listens on now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Asks for `target` through `ssh`: it is closed without a byte, and `ssh` says why.
fn closed(stage: &Stage, flag: &str, first: &[u8]) {
    let near = free_port();
    let flag = flag.replace("NEAR", &near.to_string());
    let mut command = stage.command(&stage.small, &format!("{SSH} -N {flag} $party@$host"));
    let mut ssh = command.stderr(Stdio::piped()).spawn().unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, near));
    let mut stream = until("ssh to listen", ANSWER, || {
        Ok(TcpStream::connect(address).ok())
    })
    .unwrap();
    stream.set_read_timeout(Some(ANSWER)).unwrap();
    stream.write_all(first).unwrap();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{flag}: hangs"),
    }
    assert!(answer.is_empty(), "{flag}: {answer:?}");
    kill_process(Pid::from_child(&ssh), Signal::TERM).unwrap();
    let mut said = String::new();
    ssh.stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    ssh.wait().unwrap();
    assert!(said.contains("prohibited"), "{flag}: {said}");
}

#[test]
fn what_is_forwarded_from_the_clients_side_ends_at_the_daemon() {
    let stage = Stage::set();
    let target = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    target.set_nonblocking(true).unwrap();
    let port = target.local_addr().unwrap().port();
    closed(&stage, &format!("-L NEAR:127.0.0.1:{port}"), b"hello");
    closed(&stage, "-L NEAR:/run/systemd/private", b"hello");
    // SOCKS 4, CONNECT, no user.
    let [high, low] = port.to_be_bytes();
    closed(&stage, "-D NEAR", &[4, 1, high, low, 127, 0, 0, 1, 0]);
    let reached = target.accept();
    assert_eq!(reached.unwrap_err().kind(), ErrorKind::WouldBlock);
    stage.settles();
}
