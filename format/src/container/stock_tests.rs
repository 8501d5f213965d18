//! The stock `tar` and `python3` write what the walker accepts, and read what the writer writes.
//! Both ways, long names and PAX records included: FORMAT.md §5.2 promises that stock tools suffice.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    pack,
    tests::{Files, files, long_name, unpack},
};

/// A folder of one test, removed with it.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("amanah-format-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Runs a stock tool; what it writes to standard output.
pub(crate) fn run(command: &mut Command, stdin: &[u8]) -> Vec<u8> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || pipe.write_all(stdin));
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{command:?}");
    output.stdout
}

/// The files of the tests with stock tools, as they lie in a folder.
fn stock_files() -> Files {
    let long = long_name();
    let mut list = files(&[
        ("a b.csv", b"1,2\n"),
        ("empty", b""),
        ("Nur A\u{ef}syah.csv", &[9; 600]),
    ]);
    list.push((long, vec![1; 512]));
    list
}

fn written_to(folder: &std::path::Path) -> Vec<String> {
    for (name, bytes) in stock_files() {
        let path = folder.join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    stock_files().into_iter().map(|(name, _)| name).collect()
}

const GNU_TAR: [&str; 3] = [
    "--format=posix",
    "--pax-option=delete=atime,delete=ctime,delete=mtime",
    "-cf-",
];

#[test]
fn gnu_tar_writes_what_is_accepted() {
    let scratch = Scratch::new();
    let names = written_to(&scratch.0);
    let posix = run(
        Command::new("tar")
            .args(GNU_TAR)
            .arg("-C")
            .arg(&scratch.0)
            .args(&names),
        b"",
    );
    assert_eq!(unpack(&posix).unwrap(), stock_files());
    let ustar = run(
        Command::new("tar")
            .arg("--format=ustar")
            .arg("-C")
            .arg(&scratch.0)
            .arg("-cf-")
            .args(&names),
        b"",
    );
    assert_eq!(unpack(&ustar).unwrap(), stock_files());
    let gnu = run(
        Command::new("tar")
            .arg("--format=gnu")
            .arg("-C")
            .arg(&scratch.0)
            .arg("-cf-")
            .args(&names),
        b"",
    );
    assert!(unpack(&gnu).is_err());
}

#[test]
fn gnu_tar_reads_what_is_written() {
    let scratch = Scratch::new();
    let list = stock_files();
    let list: Vec<(&str, &[u8])> = list
        .iter()
        .map(|(name, bytes)| (&**name, &**bytes))
        .collect();
    run(
        Command::new("tar").arg("-C").arg(&scratch.0).arg("-xf-"),
        &pack(&list),
    );
    for (name, bytes) in list {
        assert_eq!(fs::read(scratch.0.join(name)).unwrap(), bytes);
    }
}

#[test]
fn a_plain_entry_is_the_one_that_gnu_tar_writes() {
    let scratch = Scratch::new();
    fs::write(scratch.0.join("a"), b"12345").unwrap();
    let fixed = [
        "--numeric-owner",
        "--owner=0",
        "--group=0",
        "--mode=0644",
        "--mtime=@0",
        "-b2",
    ];
    let mut command = Command::new("tar");
    command
        .args(["--format=ustar", "-cf-", "-C"])
        .arg(&scratch.0);
    let stock = run(command.args(fixed).arg("a"), b"");
    assert!(stock == pack(&[("a", b"12345")]));
}

#[test]
fn python_writes_what_is_accepted() {
    for format in ["PAX_FORMAT", "USTAR_FORMAT"] {
        let script = format!(
            "import io, sys, tarfile
with tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=tarfile.{format}) as tar:
    for name, size in (('a b.csv', 4), ('d' * 90 + '/' + 'n' * 60, 512), ('empty', 0)):
        member = tarfile.TarInfo(name)
        member.size = size
        tar.addfile(member, io.BytesIO(b'x' * size))
"
        );
        let bytes = run(Command::new("python3").arg("-c").arg(script), b"");
        let found = unpack(&bytes).unwrap();
        assert_eq!(found[0], ("a b.csv".to_owned(), b"xxxx".to_vec()));
        assert_eq!(found[1].0.len(), 151);
        assert_eq!(found[2], ("empty".to_owned(), Vec::new()));
    }
}
