//! Reads private keys: owner only, else refused; the credentials folder of systemd (`CREDENTIALS_DIRECTORY`) wins and is
//! exempt from the mode rule (newer versions serve it as 0440 with an access list). Links are not followed.
//! Signing and decryption secrets never share a type.

pub mod example;
mod own;

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use amanah_format::recipient::Identity;
use amanah_format::signature::{KeyError, SecretKey};
use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

pub use self::own::OwnKeys;

/// File name of the signing key, in the key folder and among the credentials.
pub const SIGNING: &str = "signing";
/// File name of the ledger key.
pub const LEDGER: &str = "ledger";
/// File name of the transport key.
pub const TRANSPORT: &str = "transport";
/// File name of the decryption identities.
pub const DECRYPTION: &str = "decryption.txt";
/// File name of the URL of a PostgreSQL server, with its password.
pub const POSTGRES_URL: &str = "postgres-url";
/// Longest key file: a hundred identities with their comments fit well within.
pub const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Where keys are looked for.
#[derive(Debug, Clone)]
pub struct KeyFolder {
    /// The folder `keys` of the configuration.
    pub folder: PathBuf,
    /// systemd's folder of credentials, asked first.
    pub credentials: Option<PathBuf>,
}

impl KeyFolder {
    /// `keys/signing`: one key or, during a roll-over, several, the oldest first.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn signing(&self) -> Result<OwnKeys, KeysError> {
        self.secrets(SIGNING)
    }

    /// `keys/ledger`, likewise.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn ledger(&self) -> Result<OwnKeys, KeysError> {
        self.secrets(LEDGER)
    }

    /// `keys/transport`, likewise.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn transport(&self) -> Result<OwnKeys, KeysError> {
        self.secrets(TRANSPORT)
    }

    /// `keys/decryption.txt`
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn decryption(&self) -> Result<Vec<Identity>, KeysError> {
        let (path, text) = self.read(DECRYPTION)?;
        Identity::read_all(&text).map_err(|source| KeysError::Key { path, source })
    }

    /// `keys/postgres-url`
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn postgres_url(&self) -> Result<Zeroizing<String>, KeysError> {
        self.read(POSTGRES_URL).map(|(_, text)| text)
    }

    /// Reads the Ed25519 keys of a file.
    fn secrets(&self, name: &str) -> Result<OwnKeys, KeysError> {
        let (path, text) = self.read(name)?;
        let keys = SecretKey::read_all(&text).and_then(OwnKeys::of);
        keys.map_err(|source| KeysError::Key { path, source })
    }

    /// Finds a key file, checks who may read it, and reads it.
    fn read(&self, name: &str) -> Result<(PathBuf, Zeroizing<String>), KeysError> {
        if let Some(credentials) = &self.credentials {
            let path = credentials.join(name);
            match open(&path) {
                Ok((file, _)) => return read_text(file, path),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(KeysError::Io { path, source }),
            }
        }
        let path = self.folder.join(name);
        match open(&path) {
            Ok((file, metadata)) => {
                owner_only(&path, &metadata)?;
                read_text(file, path)
            }
            Err(source) => Err(KeysError::Io { path, source }),
        }
    }
}

/// Opens a regular file, not over a link, not blocking on a FIFO.
fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, metadata))
    } else {
        let text = "expected a regular file";
        Err(io::Error::new(io::ErrorKind::InvalidInput, text))
    }
}

/// The rule of OpenSSH: a private key that others can read is not private.
fn owner_only(path: &Path, metadata: &Metadata) -> Result<(), KeysError> {
    let own = rustix::process::geteuid().as_raw();
    if metadata.uid() != own {
        return Err(KeysError::Owner {
            path: path.to_owned(),
            owner: metadata.uid(),
            own,
        });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeysError::Loose {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(())
}

/// Reads all of it; the text is wiped when dropped.
fn read_text(file: File, path: PathBuf) -> Result<(PathBuf, Zeroizing<String>), KeysError> {
    // The whole room at once: a string that grows would leave unwiped copies behind.
    let room = usize::try_from(KEY_FILE_BYTES_MAX + 1).unwrap_or(usize::MAX);
    let mut text = Zeroizing::new(String::with_capacity(room));
    match file.take(KEY_FILE_BYTES_MAX + 1).read_to_string(&mut text) {
        Ok(bytes) if bytes < room => Ok((path, text)),
        Ok(_) => Err(KeysError::Io {
            path,
            source: io::Error::new(io::ErrorKind::FileTooLarge, "expected at most 64 KiB"),
        }),
        Err(source) => Err(KeysError::Io { path, source }),
    }
}

/// Why a key is not used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// It cannot be read.
    #[error("key {path}: {source}; {}", remedy(.path))]
    Io {
        /// The key file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Others than its owner may read it.
    #[error("key {path}: mode {mode:04o} lets others read it; run: chmod 600 {path}")]
    Loose {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is somebody else's.
    #[error(
        "key {path}: owned by user {owner}, this process runs as {own}; run: chown {own} {path}"
    )]
    Owner {
        /// The key file.
        path: PathBuf,
        /// Its owner's user id.
        owner: u32,
        /// This process's effective user id.
        own: u32,
    },
    /// Its text is no such key.
    #[error("key {path}: {source}")]
    Key {
        /// The key file.
        path: PathBuf,
        /// What was expected.
        #[source]
        source: KeyError,
    },
}

/// What to do about a key file that cannot be read.
fn remedy(path: &Path) -> &'static str {
    if path.file_name().is_some_and(|name| name == POSTGRES_URL) {
        "write the database's URL into it, and give it to the daemon's user alone (chmod 600); or name it as `url` in [store.tables]"
    } else {
        "make keys with `amanah init`, or correct `keys` in amanah.toml"
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A key folder with all four keys, made anew.
    fn keys() -> (tempfile::TempDir, KeyFolder) {
        let top = tempfile::tempdir().unwrap();
        for (name, seed) in [(SIGNING, 1), (LEDGER, 2), (TRANSPORT, 3)] {
            let key = SecretKey::from_seed(&[seed; 32]);
            put(top.path(), name, &key.to_openssh(name), 0o600);
        }
        let time = amanah_format::time::UtcTime::from_unix(1_700_000_000).unwrap();
        let identity = Identity::generate();
        put(top.path(), DECRYPTION, &identity.to_file(time), 0o600);
        let folder = top.path().to_owned();
        let credentials = None;
        (
            top,
            KeyFolder {
                folder,
                credentials,
            },
        )
    }

    fn put(folder: &Path, name: &str, text: &str, mode: u32) {
        fs::write(folder.join(name), text).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn keys_that_only_their_owner_may_read_are_read() {
        let (_top, keys) = keys();
        let public = |seed| SecretKey::from_seed(&[seed; 32]).public();
        assert_eq!(keys.signing().unwrap().newest().public(), public(1));
        assert_eq!(keys.ledger().unwrap().newest().public(), public(2));
        assert_eq!(keys.transport().unwrap().newest().public(), public(3));
        assert_eq!(keys.decryption().unwrap().len(), 1);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused_with_the_command_that_mends_it() {
        let (top, keys) = keys();
        for mode in [0o640, 0o604, 0o620, 0o601] {
            fs::set_permissions(top.path().join(SIGNING), fs::Permissions::from_mode(mode))
                .unwrap();
            let error = keys.signing().err().unwrap();
            assert!(matches!(error, KeysError::Loose { mode: found, .. } if found == mode));
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn somebody_elses_key_is_refused() {
        let (top, keys) = keys();
        // Only root may give a file away; without it the rule is tested on the metadata of a file of root's.
        let given = std::os::unix::fs::chown(top.path().join(SIGNING), Some(65_534), None);
        let error = if given.is_ok() {
            keys.signing().err().unwrap()
        } else {
            let path = Path::new("/etc/hostname");
            owner_only(path, &fs::metadata(path).unwrap()).unwrap_err()
        };
        assert!(matches!(error, KeysError::Owner { .. }), "{error}");
    }

    #[test]
    fn a_link_a_fifo_a_folder_and_a_huge_file_are_no_keys() {
        let (top, keys) = keys();
        let path = top.path().join(SIGNING);
        fs::rename(&path, top.path().join("real")).unwrap();
        symlink("real", &path).unwrap();
        assert!(matches!(keys.signing(), Err(KeysError::Io { .. })));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(keys.signing(), Err(KeysError::Io { .. })));
        fs::remove_dir(&path).unwrap();
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &path, kind, Mode::from_raw_mode(0o600), 0).unwrap();
        assert!(matches!(keys.signing(), Err(KeysError::Io { .. })));
        fs::remove_file(&path).unwrap();
        put(top.path(), SIGNING, &"x".repeat(65 * 1024), 0o600);
        let error = keys.signing().err().unwrap();
        assert!(error.to_string().contains("64 KiB"), "{error}");
    }

    #[test]
    fn another_text_than_a_key_is_refused_without_being_shown() {
        let (top, keys) = keys();
        put(top.path(), SIGNING, "a secret of mine", 0o600);
        put(top.path(), TRANSPORT, "a secret of mine", 0o600);
        put(top.path(), DECRYPTION, "a secret of mine", 0o600);
        let errors = [
            keys.signing().err().unwrap(),
            keys.transport().err().unwrap(),
            keys.decryption().err().unwrap(),
        ];
        for error in errors {
            assert!(matches!(error, KeysError::Key { .. }), "{error}");
            assert!(!error.to_string().contains("secret of mine"), "{error}");
        }
    }

    #[test]
    fn a_credential_wins_over_the_folder_and_may_be_readable_by_a_group() {
        let (_top, mut keys) = keys();
        let credentials = tempfile::tempdir().unwrap();
        keys.credentials = Some(credentials.path().to_owned());
        assert!(keys.signing().is_ok(), "no credential: the folder is asked");
        let key = SecretKey::from_seed(&[9; 32]);
        put(
            credentials.path(),
            SIGNING,
            &key.to_openssh("credential"),
            0o440,
        );
        assert_eq!(keys.signing().unwrap().newest().public(), key.public());
    }

    #[test]
    fn during_a_roll_over_a_file_holds_several_keys_and_the_first_of_an_order_is_used() {
        let (top, keys) = keys();
        let [old, new, other] = [1, 8, 9].map(|seed| SecretKey::from_seed(&[seed; 32]));
        let text = [old.to_openssh("old"), new.to_openssh("new")].map(|text| text.to_string());
        put(top.path(), SIGNING, &text.concat(), 0o600);
        let own = keys.signing().unwrap();
        assert_eq!(own.newest().public(), new.public());
        let [old, new, other] = [old, new, other].map(|key| key.public());
        assert_eq!(own.first_of(&[other, old, new]).public(), old);
        assert_eq!(
            own.first_of(&[other]).public(),
            new,
            "none of them: the newest"
        );
        assert_eq!(own.publics(), [old, new]);
        put(
            top.path(),
            SIGNING,
            &format!("{}-----BEGIN", text.concat()),
            0o600,
        );
        assert!(matches!(keys.signing(), Err(KeysError::Key { .. })));
    }
}
