//! Certificates for servers of the tests, made by the stock `openssl`: an authority of its own, and what it signs for loopback.
//! They are worth nothing outside their test.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

/// Keys of one kind, readable by nobody else.
const NEW_KEY: [&str; 5] = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
];

/// A certificate authority, named so; its file.
///
/// # Errors
/// `openssl` fails.
pub fn authority(folder: &Path, name: &str) -> Result<PathBuf> {
    let place = |end: &str| folder.join(format!("{name}.{end}"));
    let (key, file) = (place("key"), place("pem"));
    let (key, out) = (key.to_string_lossy(), file.to_string_lossy());
    let words = ["req", "-x509", "-days", "30", "-subj", "/CN=penerbit-uji"];
    let places = ["-keyout", &key, "-out", &out];
    openssl(&[&words[..], &NEW_KEY[..], &places[..]].concat())?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644))?;
    Ok(file)
}

/// A server's certificate for 127.0.0.1 by this authority, whose key lies beside it; its file, and that of its key.
///
/// # Errors
/// `openssl` fails.
pub fn for_loopback(folder: &Path, authority: &Path) -> Result<[PathBuf; 2]> {
    let place = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (key, request, names) = (place("server.key"), place("server.csr"), place("names"));
    let certificate = place("server.pem");
    fs::write(&names, "subjectAltName=IP:127.0.0.1\n")?;
    let words = ["req", "-subj", "/CN=uji", "-keyout", &key, "-out", &request];
    openssl(&[&words[..], &NEW_KEY[..]].concat())?;
    let by = authority.to_string_lossy();
    let by_key = authority.with_extension("key");
    let by_key = by_key.to_string_lossy();
    openssl(&[
        "x509",
        "-req",
        "-in",
        &request,
        "-CA",
        &by,
        "-CAkey",
        &by_key,
        "-CAcreateserial",
        "-days",
        "30",
        "-extfile",
        &names,
        "-out",
        &certificate,
    ])?;
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
    Ok([certificate.into(), key.into()])
}

fn openssl(words: &[&str]) -> Result<()> {
    let ran = Command::new("openssl")
        .args(words)
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&ran.stderr);
    ensure!(ran.status.success(), "openssl: {said}");
    Ok(())
}
