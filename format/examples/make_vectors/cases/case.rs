//! One vector file: lines `key: value`, an empty line, then the bytes (as C2SP's CCTV has them).
//! Printing and parsing undo each other: the generator prints, the test that reads the vectors parses. The form is
//! explained in `format/vectors/README.md`; it knows nothing of what the bytes mean.

/// A vector: where it lies, its header, and what is read.
pub(crate) struct Case {
    /// `kind/what-is-wrong`, also the path below `vectors/`.
    pub(crate) name: String,
    /// In the order written.
    pub(crate) header: Vec<(String, String)>,
    /// What follows the empty line.
    pub(crate) bytes: Vec<u8>,
}

impl Case {
    /// `name` begins with the kind.
    pub(crate) fn new(name: &str, expect: &str, comment: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let kind = name.split('/').next().unwrap_or(name);
        let case = Self {
            name: name.to_owned(),
            header: Vec::new(),
            bytes: bytes.into(),
        };
        case.with("expect", expect)
            .with("kind", kind)
            .with("comment", comment)
    }

    /// The same with one more header line.
    pub(crate) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.header.push((key.to_owned(), value.into()));
        self
    }

    /// The same with another value of a header line.
    pub(crate) fn instead(mut self, key: &str, value: &str) -> Self {
        for line in self.header.iter_mut().filter(|(known, _)| known == key) {
            value.clone_into(&mut line.1);
        }
        self
    }

    /// The first header line of this key.
    #[allow(
        dead_code,
        reason = "the generator writes headers, the test reads them"
    )]
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let line = self.header.iter().find(|(known, _)| known == key)?;
        Some(&line.1)
    }

    /// The file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut file = Vec::new();
        for (key, value) in &self.header {
            file.extend_from_slice(format!("{key}: {value}\n").as_bytes());
        }
        file.push(b'\n');
        file.extend_from_slice(&self.bytes);
        file
    }

    /// Reads a file.
    #[allow(
        dead_code,
        reason = "the generator writes headers, the test reads them"
    )]
    pub(crate) fn parse(name: &str, file: &[u8]) -> Option<Self> {
        let end = file.windows(2).position(|pair| pair == b"\n\n")?;
        let (header, rest) = file.split_at_checked(end)?;
        let header = std::str::from_utf8(header).ok()?;
        let line = |line: &str| {
            line.split_once(": ")
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
        };
        Some(Self {
            name: name.to_owned(),
            header: header.lines().map(line).collect::<Option<_>>()?,
            bytes: rest.get(2..)?.to_vec(),
        })
    }
}

/// `text` with `piece` replaced, which must be in it.
pub(crate) fn swap(text: &str, piece: &str, other: &str) -> String {
    assert!(text.contains(piece), "{piece} is not in {text}");
    text.replacen(piece, other, 1)
}
