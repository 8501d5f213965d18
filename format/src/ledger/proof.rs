//! Consistency proofs of RFC 6962 §2.1.2: that a tree has grown out of a smaller one. FORMAT.md §15.2.
//! Which subtrees a proof consists of is said by their first and last leaves, so that whoever holds the leaves makes them in one
//! walk; verification follows RFC 9162 §2.1.4.2 and needs the two roots alone. Held against the certificate-transparency project's.

use super::tree::{Tree, node_hash};
use crate::digest::Digest;

/// Most nodes of a proof: two for each bit of a size.
pub const CONSISTENCY_MAX: usize = 128;

/// The subtrees of the proof that the tree of `second` leaves has grown out of the tree of the `first` of them: each as its first
/// leaf and the one behind its last, in the order of the proof. None for a smaller or an empty tree, or one of the same size.
#[must_use]
pub fn consistency_parts(first: u64, second: u64) -> Vec<(u64, u64)> {
    let mut parts = Vec::new();
    if first == 0 || first >= second {
        return parts;
    }
    let (mut first, mut low, mut high) = (first, 0, second);
    let mut is_known = true;
    while first != high - low {
        let left = largest_below(high - low);
        if first <= left {
            parts.push((low + left, high));
            high = low + left;
        } else {
            parts.push((low, low + left));
            low += left;
            first -= left;
            is_known = false;
        }
    }
    if !is_known {
        parts.push((low, high));
    }
    parts.reverse();
    parts
}

/// The largest power of two below `size`, which is at least 2.
const fn largest_below(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// Makes the parts of a proof out of all leaves, given in their order.
pub struct Prover {
    /// In the order of the leaves, each with its place in the proof.
    parts: Vec<(usize, (u64, u64), Tree)>,
    next: u64,
}

impl Prover {
    /// Of the proof from `first` to `second`.
    #[must_use]
    pub fn new(first: u64, second: u64) -> Self {
        let parts = consistency_parts(first, second).into_iter().enumerate();
        let mut parts: Vec<_> = parts
            .map(|(at, range)| (at, range, Tree::default()))
            .collect();
        parts.sort_unstable_by_key(|(_, range, _)| *range);
        Self { parts, next: 0 }
    }

    /// The next leaf's hash.
    pub fn push(&mut self, leaf: Digest) {
        let at = self.next;
        self.next += 1;
        let holds = |(low, high): (u64, u64)| (low..high).contains(&at);
        if let Some((_, _, tree)) = self.parts.iter_mut().find(|(_, range, _)| holds(*range)) {
            tree.push(leaf);
        }
    }

    /// The proof.
    #[must_use]
    pub fn finish(mut self) -> Vec<Digest> {
        self.parts.sort_unstable_by_key(|(at, _, _)| *at);
        let roots = self.parts.iter();
        roots.map(|(_, _, tree)| tree.root()).collect()
    }
}

/// Whether `proof` shows that the tree of this size and root (`second`) has grown out of the other (`first`).
#[must_use]
pub fn is_consistent(first: (u64, Digest), second: (u64, Digest), proof: &[Digest]) -> bool {
    let ((first_size, first_root), (second_size, second_root)) = (first, second);
    if first_size == second_size {
        return first_root == second_root && proof.is_empty();
    }
    if first_size == 0 || first_size > second_size || proof.len() > CONSISTENCY_MAX {
        return false;
    }
    let mut path = proof.iter().copied();
    let start = if first_size.is_power_of_two() {
        Some(first_root)
    } else {
        path.next()
    };
    let Some(start) = start else { return false };
    let known = (first_size - 1).trailing_ones();
    let (mut at, mut last) = ((first_size - 1) >> known, (second_size - 1) >> known);
    let (mut old, mut new) = (start, start);
    for node in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old = node_hash(&node, &old);
            new = node_hash(&node, &new);
            if at & 1 == 0 {
                let zeros = at.trailing_zeros().min(63);
                (at, last) = (at >> zeros, last >> zeros);
            }
        } else {
            new = node_hash(&new, &node);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && old == first_root && new == second_root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::leaf_hash;

    fn leaf(number: u64) -> Digest {
        leaf_hash(&number.to_be_bytes())
    }

    fn tree(size: u64) -> (u64, Digest) {
        let mut tree = Tree::default();
        (0..size).for_each(|number| tree.push(leaf(number)));
        (size, tree.root())
    }

    fn proof(first: u64, second: u64) -> Vec<Digest> {
        let mut prover = Prover::new(first, second);
        (0..second).for_each(|number| prover.push(leaf(number)));
        prover.finish()
    }

    #[test]
    fn every_tree_is_consistent_with_every_smaller_one_and_with_no_other() {
        let trees: Vec<_> = (0..=40).map(tree).collect();
        for second in &trees {
            for first in &trees[1..] {
                let made = proof(first.0, second.0);
                let grew = first.0 <= second.0;
                assert_eq!(
                    is_consistent(*first, *second, &made),
                    grew,
                    "{first:?} {second:?}"
                );
                let other = (first.0, Digest::of(b"another root"));
                assert!(!is_consistent(other, *second, &made));
                assert!(!is_consistent(*first, (second.0, other.1), &made));
            }
        }
    }

    #[test]
    fn a_proof_with_any_node_changed_left_out_or_added_proves_nothing() {
        for (first, second) in [(1, 2), (3, 7), (4, 7), (6, 8), (7, 40), (33, 39)] {
            let made = proof(first, second);
            let (old, new) = (tree(first), tree(second));
            for at in 0..made.len() {
                let mut changed = made.clone();
                changed[at] = Digest::of(b"another");
                assert!(!is_consistent(old, new, &changed), "{first} {second} {at}");
                let mut shorter = made.clone();
                shorter.remove(at);
                assert!(!is_consistent(old, new, &shorter), "{first} {second} {at}");
            }
            let longer = [&made[..], &[Digest::of(b"one more")]].concat();
            assert!(!is_consistent(old, new, &longer));
            assert!(!is_consistent(old, new, &[]));
        }
        assert!(
            !is_consistent(tree(0), tree(3), &[]),
            "an empty tree proves nothing"
        );
        let most = (u64::MAX, Digest::of(b"root"));
        assert!(!is_consistent(tree(3), most, &[leaf(1); 128]));
    }

    #[test]
    fn the_parts_are_those_of_rfc_6962() {
        // RFC 6962 §2.1.3: the proofs between the trees of 3, 4, 6 and 7 leaves.
        assert_eq!(consistency_parts(3, 7), [(2, 3), (3, 4), (0, 2), (4, 7)]);
        assert_eq!(consistency_parts(4, 7), [(4, 7)]);
        assert_eq!(consistency_parts(6, 7), [(4, 6), (6, 7), (0, 4)]);
        assert!(consistency_parts(7, 7).is_empty());
        assert!(consistency_parts(0, 7).is_empty());
        assert!(consistency_parts(1, u64::MAX).len() <= CONSISTENCY_MAX);
    }
}
