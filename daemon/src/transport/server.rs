//! Being dialled: our own accept loop over russh (limits before and after authentication), and the SFTP subsystem over the virtual tree
//! `/incoming` (write only) and `/outgoing` (read only) of the authenticated peer. Nothing else exists: no shell, exec, forwarding, other paths, links, attributes.

use std::{net::{IpAddr, SocketAddr}, sync::Arc};
use super::link::Exchange;
/// Where and for whom to listen.
pub struct Listen { pub address: SocketAddr, /// Only these networks are served (CIDR): others are closed at once.
    pub networks: Vec<Network>, /// Our transport key (OpenSSH text): the host key.
    pub host_key: zeroize::Zeroizing<String>, pub limits: Limits }
/// An address range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network { address: IpAddr, prefix_bits: u8 }
impl Network { #[must_use] pub fn contains(&self, address: IpAddr) -> bool { todo!() } }
impl std::str::FromStr for Network { type Err = String; fn from_str(text: &str) -> Result<Self, String> { todo!() } }
/// Bounds of the server, each with its reason.
#[derive(Debug, Clone, Copy)]
pub struct Limits { pub connections_max: usize, pub unauthenticated_max: usize, pub unauthenticated_per_address_max: usize, pub login_grace_secs: u64, pub channels_per_connection_max: usize, pub handles_per_channel_max: usize }
impl Default for Limits { fn default() -> Self { Self { connections_max: 256, unauthenticated_max: 64, unauthenticated_per_address_max: 8, login_grace_secs: 20, channels_per_connection_max: 16, handles_per_channel_max: 16 } } }
/// A running server.
pub struct Server { /// The bound address (port 0 resolved).
    pub address: SocketAddr }
impl Server {
    /// Binds and serves until `stop` rings or the value is dropped.
    pub async fn start(listen: Listen, exchange: Arc<dyn Exchange>) -> Result<Self, std::io::Error> { todo!() }
    /// Stops accepting and ends the connections.
    pub async fn stop(self) { todo!() }
    /// Connected peers, for the status.
    #[must_use] pub fn connected(&self) -> Vec<(amanah_format::id::PartyId, SocketAddr)> { todo!() }
}
