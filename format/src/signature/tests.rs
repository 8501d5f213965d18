//! Tests of keys and signatures, also against the real `ssh-keygen`, both ways.
//! Held against FORMAT.md §5.1: what OpenSSH would write is read, and what it would accept beyond that is refused here.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::*;

const MESSAGE: &[u8] = b"daftar jemaah\n";

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

/// Runs `ssh-keygen` in `folder`, with a file of it as standard input.
fn ssh_keygen(folder: &Path, args: &[&str], stdin: &str) -> Output {
    Command::new("ssh-keygen")
        .args(args)
        .current_dir(folder)
        .stdin(match stdin {
            "" => Stdio::null(),
            name => fs::File::open(folder.join(name)).unwrap().into(),
        })
        .output()
        .unwrap()
}

/// The armour with another blob in it, wrapped as OpenSSH wraps.
fn armor_of(blob: &[u8]) -> String {
    use base64ct::{Base64, Encoding};
    let digits = Base64::encode_string(blob);
    let lines: Vec<_> = digits
        .as_bytes()
        .chunks(70)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n",
        lines.join("\n")
    )
}

/// A string of the SSH protocol (RFC 4251 §5).
fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length, bytes].concat()
}

/// An SSHSIG blob field by field; the signature is right for what it says.
fn blob(version: u32, reserved: &[u8], hash: &str) -> Vec<u8> {
    use sha2::{Digest, Sha256, Sha512};
    let hashed = match hash {
        "sha256" => Sha256::digest(MESSAGE).to_vec(),
        _ => Sha512::digest(MESSAGE).to_vec(),
    };
    let middle = [
        string(b"bundle@amanah"),
        string(reserved),
        string(hash.as_bytes()),
    ]
    .concat();
    let signed = [b"SSHSIG".as_slice(), &middle, &string(&hashed)].concat();
    let key = key(1);
    let public = [string(b"ssh-ed25519"), string(key.public().as_bytes())].concat();
    let signature = [string(b"ssh-ed25519"), string(&key.sign_raw(&signed))].concat();
    [
        b"SSHSIG".as_slice(),
        &version.to_be_bytes(),
        &string(&public),
        &middle,
        &string(&signature),
    ]
    .concat()
}

#[test]
fn a_signature_verifies_for_its_purpose_and_no_other() {
    for made in Purpose::ALL {
        let armor = key(1).sign(*made, MESSAGE);
        for asked in Purpose::ALL {
            let verified = verify(*asked, MESSAGE, armor.as_bytes());
            if made == asked {
                assert_eq!(verified, Ok(key(1).public()));
            } else {
                assert!(matches!(verified, Err(SignatureError::Namespace { .. })));
            }
        }
    }
}

#[test]
fn a_signature_over_other_bytes_is_wrong() {
    let armor = key(1).sign(Purpose::Bundle, MESSAGE);
    assert_eq!(
        verify(Purpose::Bundle, b"daftar jemaah", armor.as_bytes()),
        Err(SignatureError::Wrong)
    );
}

#[test]
fn a_signature_cut_short_or_changed_anywhere_is_refused() {
    let armor = key(1).sign(Purpose::Bundle, MESSAGE).into_bytes();
    for at in 0..armor.len() {
        assert!(
            verify(Purpose::Bundle, MESSAGE, &armor[..at]).is_err(),
            "{at}"
        );
        let mut changed = armor.clone();
        changed[at] ^= 1;
        assert!(verify(Purpose::Bundle, MESSAGE, &changed).is_err(), "{at}");
    }
}

#[test]
fn the_blob_that_the_tests_build_is_the_one_that_is_signed() {
    let armor = armor_of(&blob(1, b"", "sha512"));
    assert_eq!(armor, key(1).sign(Purpose::Bundle, MESSAGE));
}

#[test]
fn another_version_hash_or_a_reserved_field_is_refused() {
    for wrong in [
        blob(0, b"", "sha512"),
        blob(2, b"", "sha512"),
        blob(1, b"x", "sha512"),
        blob(1, b"", "sha256"),
        [blob(1, b"", "sha512"), b"x".to_vec()].concat(),
    ] {
        let verified = verify(Purpose::Bundle, MESSAGE, armor_of(&wrong).as_bytes());
        assert!(
            matches!(verified, Err(SignatureError::Malformed(_))),
            "{verified:?}"
        );
    }
}

#[test]
fn armour_that_openssh_would_not_write_is_refused() {
    let armor = key(1).sign(Purpose::Bundle, MESSAGE);
    for wrong in [
        format!("{armor}{armor}"),
        format!("{armor}\n"),
        format!("{armor}text\n"),
        format!("text\n{armor}"),
        format!("\n{armor}"),
        armor.replace('\n', "\r\n"),
        armor.trim_end().to_owned(),
        armor.replacen("SIGNATURE-----\n", "SIGNATURE----- \n", 1),
        armor.replace("SSH SIGNATURE", "PGP SIGNATURE"),
        format!("{armor}{}", " ".repeat(4096)),
        String::new(),
    ] {
        let verified = verify(Purpose::Bundle, MESSAGE, wrong.as_bytes());
        assert!(
            matches!(verified, Err(SignatureError::Malformed(_))),
            "{wrong:?}"
        );
    }
}

#[test]
fn a_weak_key_under_which_anything_verifies_is_refused() {
    let mut identity = [0; 32];
    identity[0] = 1;
    assert!(PublicKey::from_bytes(identity).is_err());
    // R = identity, s = 0: the equation holds for every message under a key of small order.
    let mut raw = [0; 64];
    raw[0] = 1;
    let key = KeyData::Ed25519(ssh_key::public::Ed25519PublicKey(identity));
    let signature = ssh_key::Signature::new(Algorithm::Ed25519, raw).unwrap();
    let sshsig = SshSig::new(key, "bundle@amanah", HashAlg::Sha512, signature).unwrap();
    let armor = sshsig.to_pem(LineEnding::LF).unwrap();
    assert_eq!(
        verify(Purpose::Bundle, MESSAGE, armor.as_bytes()),
        Err(SignatureError::Wrong)
    );
}

#[test]
fn keys_read_back_from_their_texts() {
    let public = key(1).public();
    let text = public.to_string();
    assert_eq!(text.parse(), Ok(public));
    assert_eq!(
        PublicKey::from_openssh(&format!("{text} ops@bpkh\n")),
        Ok(public)
    );
    for wrong in [
        format!("{text} comment"),
        format!("{text}\n"),
        format!(" {text}"),
        text.replace("ssh-ed25519", "ssh-rsa"),
        text[..text.len() - 4].to_owned(),
        String::new(),
    ] {
        assert!(wrong.parse::<PublicKey>().is_err(), "{wrong:?}");
    }
    let pem = key(1).to_openssh("amanah bpkh signing");
    assert!(!pem.contains('\r') && pem.ends_with('\n'));
    assert_eq!(SecretKey::from_openssh(&pem).unwrap().public(), public);
    for end in 0..pem.trim_end().len() {
        assert!(SecretKey::from_openssh(&pem[..end]).is_err(), "{end}");
    }
}

#[test]
fn ssh_keygen_reads_our_keys_and_verifies_our_signatures() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let secret = key(7);
    fs::write(at("key"), secret.to_openssh("a comment").as_bytes()).unwrap();
    fs::set_permissions(at("key"), fs::Permissions::from_mode(0o600)).unwrap();
    let read = ssh_keygen(folder.path(), &["-y", "-f", "key"], "");
    let read = String::from_utf8(read.stdout).unwrap();
    assert_eq!(read.trim_end(), format!("{} a comment", secret.public()));
    fs::write(at("key.pub"), &read).unwrap();
    let listed = ssh_keygen(folder.path(), &["-l", "-f", "key.pub"], "");
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains(&secret.public().fingerprint()), "{listed}");

    fs::write(at("message"), MESSAGE).unwrap();
    fs::write(at("other"), b"other").unwrap();
    fs::write(at("signature"), secret.sign(Purpose::Card, MESSAGE)).unwrap();
    fs::write(at("allowed"), format!("bpkh {}\n", secret.public())).unwrap();
    let args = |purpose: &'static str| {
        [
            "-Y",
            "verify",
            "-f",
            "allowed",
            "-I",
            "bpkh",
            "-n",
            purpose,
            "-s",
            "signature",
        ]
    };
    let verified = |purpose, stdin| {
        ssh_keygen(folder.path(), &args(purpose), stdin)
            .status
            .success()
    };
    assert!(verified("card@amanah", "message"));
    assert!(!verified("receipt@amanah", "message"));
    assert!(!verified("card@amanah", "other"));
}

#[test]
fn we_read_the_keys_and_verify_the_signatures_of_ssh_keygen() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let make = |kind: &str, name: &str, phrase: &str| {
        let args = ["-q", "-t", kind, "-N", phrase, "-C", "ops bpkh", "-f", name];
        assert!(ssh_keygen(folder.path(), &args, "").status.success());
    };
    make("ed25519", "key", "");
    make("ed25519", "locked", "a passphrase");
    make("ecdsa", "ecdsa", "");
    fs::write(at("message"), MESSAGE).unwrap();
    let sign = |name: &str, hash: &str| {
        let _ = fs::remove_file(at("message.sig"));
        let hash = format!("hashalg={hash}");
        let args = [
            "-Y",
            "sign",
            "-f",
            name,
            "-n",
            "slip@amanah",
            "-O",
            &hash,
            "message",
        ];
        assert!(ssh_keygen(folder.path(), &args, "").status.success());
        verify(
            Purpose::Slip,
            MESSAGE,
            &fs::read(at("message.sig")).unwrap(),
        )
    };
    let public = PublicKey::from_openssh(&fs::read_to_string(at("key.pub")).unwrap()).unwrap();
    let secret = SecretKey::from_openssh(&fs::read_to_string(at("key")).unwrap()).unwrap();
    assert_eq!(secret.public(), public);
    assert_eq!(sign("key", "sha512"), Ok(public));
    assert!(matches!(
        sign("key", "sha256"),
        Err(SignatureError::Malformed(_))
    ));
    assert!(matches!(
        sign("ecdsa", "sha512"),
        Err(SignatureError::Malformed(_))
    ));
    for refused in ["locked", "ecdsa"] {
        let pem = fs::read_to_string(at(refused)).unwrap();
        assert!(SecretKey::from_openssh(&pem).is_err(), "{refused}");
        let line = fs::read_to_string(at("ecdsa.pub")).unwrap();
        assert!(PublicKey::from_openssh(&line).is_err());
    }
}
