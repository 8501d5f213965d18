//! The Merkle tree of RFC 6962 §2.1 over SHA-256, append-only: only its right edge is kept.
//! Only the arithmetic of FORMAT.md §15.2: it knows no record and no key. Its tests hold it against the roots that the
//! certificate-transparency project published.

use crate::digest::Digest;

/// RFC 6962 §2.1: SHA-256(0x00 ‖ leaf).
#[must_use]
pub fn leaf_hash(line: &[u8]) -> Digest {
    Digest::of(&[&[0x00], line].concat())
}

/// RFC 6962 §2.1: SHA-256(0x01 ‖ left ‖ right).
pub(super) fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of(&[&[0x01], left.as_bytes().as_slice(), right.as_bytes()].concat())
}

/// The tree's right edge: enough to append and to know the root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    size: u64,
    /// Roots of the whole subtrees from left to right: one for each bit of `size`, the largest first.
    edge: Vec<Digest>,
}

impl Tree {
    /// From what [`Tree::size`] and [`Tree::edge`] gave; `None` where they do not belong together.
    #[must_use]
    pub fn from_edge(size: u64, edge: Vec<Digest>) -> Option<Self> {
        let matches = u32::try_from(edge.len()).is_ok_and(|length| length == size.count_ones());
        matches.then_some(Self { size, edge })
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the whole subtrees from left to right, the largest first: at most 64.
    #[must_use]
    pub fn edge(&self) -> &[Digest] {
        &self.edge
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Digest) {
        // Each trailing one of the size is a whole subtree as large as the one that just became whole.
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.edge.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.edge.push(node);
        self.size += 1;
    }

    /// RFC 6962 §2.1 root; of an empty tree SHA-256 of nothing.
    #[must_use]
    pub fn root(&self) -> Digest {
        let from_the_right = self.edge.iter().rev().copied();
        from_the_right
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(|| Digest::of(b""))
    }
}
