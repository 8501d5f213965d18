//! Where `post_quantum = "required"` may stand: with a peer that we dial, and in `[listen]` for all that dial us.
//! Elsewhere it would be a wish without effect, which is an error.

use super::{Check, PostQuantum, raw};

impl Check<'_> {
    /// Who dials us is known only after the key exchange: what is demanded there is demanded of all.
    pub(super) fn required_where_it_is_decided(
        &self,
        table: &str,
        raw: &raw::Raw,
        peer: &raw::Peer,
    ) -> Result<(), String> {
        let required = |wish: Option<PostQuantum>| wish == Some(PostQuantum::Required);
        let Some(listen) = &raw.listen else {
            return Ok(());
        };
        let dials_us = peer.dial.is_none() && peer.drop.is_none();
        if dials_us && required(peer.post_quantum) && !required(listen.post_quantum) {
            let reason = "this peer dials us, and who dials is known only after the key exchange; write \
                          post_quantum = \"required\" in [listen], for all that do";
            return Err(self.at(table, "post_quantum", reason));
        }
        Ok(())
    }
}
