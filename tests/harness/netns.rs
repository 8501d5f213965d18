//! Two machines in one: a network namespace for each ministry, joined by one virtual cable, on which the kernel itself loses
//! packets. Needs root. Dropped, the namespaces are gone, and the cable with them.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use amanah::demo::launch::Launch;
use amanah::demo::ministry::Ministry;
use amanah_format::home;
use anyhow::{Context, Result};

use super::exchange::Exchange;

/// Longest run of `ip` or `iptables`.
const COMMAND: Duration = Duration::from_secs(30);
/// The network on the cable: a namespace of its own, so no other test can meet it.
const LISTENING: &str = "10.79.0.2";
const DIALLING: &str = "10.79.0.1";

/// The two namespaces.
pub struct Cable {
    names: [String; 2],
}

impl Cable {
    /// Lays it.
    ///
    /// # Errors
    /// Not root, or `ip` is missing.
    pub fn lay() -> Result<Self> {
        let process = std::process::id();
        let cable = Self {
            names: ["d", "l"].map(|end| format!("amanah-{process}-{end}")),
        };
        let [near, far] = &cable.names;
        for name in &cable.names {
            run("ip", &["netns", "add", name])?;
        }
        let pair = ["link", "add", "kabel", "netns", near, "type", "veth"];
        run(
            "ip",
            &[pair.as_slice(), &["peer", "name", "kabel", "netns", far]].concat(),
        )?;
        for (name, address) in [(near, DIALLING), (far, LISTENING)] {
            let address = format!("{address}/24");
            run(
                "ip",
                &["-n", name, "address", "add", &address, "dev", "kabel"],
            )?;
            run("ip", &["-n", name, "link", "set", "kabel", "up"])?;
            run("ip", &["-n", name, "link", "set", "lo", "up"])?;
        }
        Ok(cable)
    }

    /// Either end loses so many packets of a hundred that reach it.
    ///
    /// # Errors
    /// `iptables` is missing, or its `statistic` module.
    pub fn lose(&self, percent: u8) -> Result<()> {
        let probability = format!("0.{percent:02}");
        for name in &self.names {
            let rule = [
                "netns",
                "exec",
                name,
                "iptables",
                "-A",
                "INPUT",
                "-m",
                "statistic",
            ];
            let how = [
                "--mode",
                "random",
                "--probability",
                &probability,
                "-j",
                "DROP",
            ];
            run("ip", &[rule.as_slice(), &how].concat())?;
        }
        Ok(())
    }

    /// Packets that either end has lost so far.
    ///
    /// # Errors
    /// `iptables` is missing.
    pub fn lost(&self) -> Result<u64> {
        let mut lost = 0;
        for name in &self.names {
            let list = [
                "netns", "exec", name, "iptables", "-L", "INPUT", "-v", "-x", "-n",
            ];
            let printed = run("ip", &list)?;
            let rules = printed.lines().filter(|line| line.contains("DROP"));
            lost += rules
                .filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok())
                .sum::<u64>();
        }
        Ok(lost)
    }

    /// Moves a founded pair to its ends and starts it there.
    ///
    /// # Errors
    /// A configuration cannot be written, or a daemon does not come up.
    pub fn start(&self, exchange: &mut Exchange) -> Result<()> {
        let [near, far] = &self.names;
        let old = exchange.pair.address;
        let new = SocketAddr::new(LISTENING.parse()?, old.port());
        let pair = &mut exchange.pair;
        for (ministry, name) in [(&mut pair.imigrasi, far), (&mut pair.phu, near)] {
            readdress(ministry, old, new)?;
            let inside = ["ip", "netns", "exec", name];
            let launch = ministry.launch().clone().through(&inside);
            ministry.launch_daemon(&launch)?;
            ministry.until_up()?;
        }
        pair.until_connected()
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for name in &self.names {
            // One that was never made is gone already.
            let _gone = run("ip", &["netns", "delete", name]);
        }
    }
}

/// The same configuration with another address and network.
fn readdress(ministry: &Ministry, old: SocketAddr, new: SocketAddr) -> Result<()> {
    let path = ministry.folder().join(home::CONFIG);
    let text = fs::read_to_string(&path)?;
    let text = text.replace(&old.to_string(), &new.to_string());
    Ok(fs::write(
        &path,
        text.replace("127.0.0.0/8", "10.79.0.0/24"),
    )?)
}

fn run(program: &str, words: &[&str]) -> Result<String> {
    let ran = Launch::of(Path::new(program)).run(words, COMMAND);
    let ran = ran.with_context(|| format!("{program} {}", words.join(" ")))?;
    Ok(ran.succeeded()?.stdout)
}
