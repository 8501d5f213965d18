//! Client and server against each other, against hostile ends, and against stock OpenSSH, all on loopback.
//! The stages are played by `memory`. Keys come from fixed seeds, and ports from the system, so that tests run side by
//! side.

mod hostile_bytes;
mod hostile_client;
mod hostile_login;
mod hostile_wire;
mod own_client;
mod own_connection;
mod raw_client;
mod stock_client;
mod strange_client;

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use amanah_format::digest::Digest;
use amanah_format::signature::SecretKey;

use super::client::{Dial, PostQuantum};
use super::link::WireName;
use super::memory::Memory;
use super::server::{Limits, Listen, Server};

/// The one peer that the server knows.
const USER: &str = "kemenag";
const SERVER_SEED: u8 = 1;
const CLIENT_SEED: u8 = 2;
const STRANGER_SEED: u8 = 3;

/// A server and what it serves.
struct Ministry {
    server: Server,
    memory: Memory,
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

fn listen(networks: &[&str], limits: Limits) -> Listen {
    Listen {
        address: "127.0.0.1:0".parse().unwrap(),
        networks: networks
            .iter()
            .map(|network| network.parse().unwrap())
            .collect(),
        host_key: key(SERVER_SEED).to_openssh(""),
        post_quantum: PostQuantum::Preferred,
        limits,
    }
}

async fn ministry_with(networks: &[&str], limits: Limits) -> Ministry {
    let memory = Memory::default();
    memory
        .state()
        .callers
        .push((USER.to_owned(), key(CLIENT_SEED).public()));
    let server = Server::start(listen(networks, limits), Arc::new(memory.clone()))
        .await
        .unwrap();
    Ministry { server, memory }
}

async fn ministry() -> Ministry {
    ministry_with(&["127.0.0.0/8"], Limits::default()).await
}

fn dial(ministry: &Ministry) -> Dial {
    Dial {
        address: ministry.server.address.to_string(),
        user: USER.to_owned(),
        key: key(CLIENT_SEED).to_openssh(""),
        host_keys: vec![key(SERVER_SEED).public()],
        post_quantum: PostQuantum::Required,
        connect_timeout: Duration::from_secs(60),
    }
}

fn bundle(text: &str) -> WireName {
    WireName::Bundle(Digest::of(text.as_bytes()))
}

fn receipt(text: &str) -> WireName {
    WireName::Receipt(Digest::of(text.as_bytes()))
}

/// Bytes of which no two stretches are alike.
fn pattern(bytes: usize) -> Vec<u8> {
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut pattern = Vec::with_capacity(bytes + 8);
    while pattern.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        pattern.extend(state.to_le_bytes());
    }
    pattern.truncate(bytes);
    pattern
}

fn file(bytes: &[u8]) -> Arc<File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Arc::new(file)
}
