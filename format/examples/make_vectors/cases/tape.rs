//! A tar writer that writes what the crate's own never would: any name, type, size, any byte changed.
//! It sums and pads as ustar wants (POSIX.1-1988 pax interchange), and checks nothing: what is wrong is wanted.

/// One part of a tar.
pub(crate) struct Part<'a> {
    /// Name field, at most 100 bytes.
    pub(crate) name: &'a [u8],
    /// Type flag.
    pub(crate) kind: u8,
    /// Link name field.
    pub(crate) link: &'a [u8],
    /// Content.
    pub(crate) bytes: &'a [u8],
}

/// A regular file.
pub(crate) fn file<'a>(name: &'a str, bytes: &'a [u8]) -> Part<'a> {
    Part {
        name: name.as_bytes(),
        kind: b'0',
        link: b"",
        bytes,
    }
}

/// A part without content, of another type.
pub(crate) fn special<'a>(name: &'a str, kind: u8, link: &'a [u8]) -> Part<'a> {
    Part {
        name: name.as_bytes(),
        kind,
        link,
        bytes: b"",
    }
}

/// A PAX header with these records.
pub(crate) fn pax(records: &[u8]) -> Part<'_> {
    Part {
        name: b"PaxHeader",
        kind: b'x',
        link: b"",
        bytes: records,
    }
}

/// The parts and the end.
pub(crate) fn tar(parts: &[Part<'_>]) -> Vec<u8> {
    let mut tar = open_tar(parts);
    tar.extend([0; 1024]);
    tar
}

/// The parts without the end.
pub(crate) fn open_tar(parts: &[Part<'_>]) -> Vec<u8> {
    let mut tar = Vec::new();
    for part in parts {
        tar.extend(header(part, part.bytes.len()));
        tar.extend_from_slice(part.bytes);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar
}

/// A header block that says `size`.
pub(crate) fn header(part: &Part<'_>, size: usize) -> Vec<u8> {
    let mut block = vec![0; 512];
    put(&mut block, 0, part.name);
    put(&mut block, 100, b"0000644\x000000000\x000000000\0");
    put(&mut block, 124, format!("{size:011o}\0").as_bytes());
    put(&mut block, 136, b"00000000000\0");
    put(&mut block, 156, &[part.kind]);
    put(&mut block, 157, part.link);
    put(&mut block, 257, b"ustar\x0000");
    put(&mut block, 329, b"0000000\x000000000\0");
    sum(block)
}

/// Sets the checksum of a block.
pub(crate) fn sum(mut block: Vec<u8>) -> Vec<u8> {
    put(&mut block, 148, b"        ");
    let total: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    put(&mut block, 148, format!("{total:06o}\0 ").as_bytes());
    block
}

/// A tar whose first header has `bytes` at `place`, with a right checksum.
pub(crate) fn changed(tar: &[u8], place: usize, bytes: &[u8]) -> Vec<u8> {
    let (block, rest) = tar.split_at(512);
    let mut block = block.to_vec();
    put(&mut block, place, bytes);
    let mut whole = sum(block);
    whole.extend_from_slice(rest);
    whole
}

/// Overwrites bytes from `place` on.
pub(crate) fn put(block: &mut [u8], place: usize, bytes: &[u8]) {
    for (old, new) in block.iter_mut().skip(place).zip(bytes) {
        *old = *new;
    }
}
