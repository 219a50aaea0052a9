//! What goes wrong on the way, once each: who tells damaged bytes for a success?

use core::sync::atomic::{AtomicU32, Ordering};
use std::fs;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use http::Method;
use oss_hyper::{BucketAcl, PutBucketAcl};
use oss_sim::peer::{Answer, Deed, Framing, Peer};
use oss_sim::tcp::{TcpPeer, system_time};

use crate::{BUCKET, KEY, WHO, command, version};

/// What each makes of each fault, as a table.
pub(crate) fn compare(folder: &Path) {
    println!("An object of 8 MiB in ranges of 1 MiB, 4 at a time; each fault once, at the third answer\n");
    println!("| who | {} |", FAULTS.map(|fault| fault.name).join(" | "));
    println!("| ---{} |", " | ---".repeat(FAULTS.len()));
    for (who, package) in WHO.iter().filter(|(who, _)| *who != "hyper alone") {
        let cells: Vec<String> = FAULTS.iter().map(|fault| fault.shown_to(who, folder)).collect();
        println!("| {who} {} | {} |", version(package), cells.join(" | "));
    }
}

struct Fault {
    name: &'static str,
    deed: fn(&mut Peer) -> Deed,
}

const FAULTS: [Fault; 4] = [
    Fault { name: "no fault", deed: |_| Deed::Serve },
    Fault {
        name: "half a body, then a clean end",
        deed: |_| {
            Deed::spoil(|answer| {
                answer.body = answer.body.slice(..answer.body.len() / 2);
                answer.reframe(Framing::Close);
            })
        },
    },
    Fault {
        name: "object replaced between ranges",
        deed: |peer| {
            peer.store(KEY, &content(1), system_time());
            Deed::Serve
        },
    },
    Fault {
        name: "a flipped bit",
        deed: |_| {
            Deed::spoil(|answer: &mut Answer| {
                let mut body = BytesMut::from(&answer.body[..]);
                let middle = body.len() / 2;
                body[middle] ^= 1;
                answer.body = body.freeze();
            })
        },
    },
];

impl Fault {
    fn shown_to(&self, who: &str, folder: &Path) -> String {
        let mut peer = Peer::new([], false, system_time());
        peer.store(KEY, &content(0), system_time());
        peer.prepare(&PutBucketAcl::new(BUCKET, BucketAcl::PublicReadWrite), system_time()).unwrap();
        let (gets, deed) = (AtomicU32::new(0), self.deed);
        let server = TcpPeer::start(peer).unwrap().drawing(move |method, peer| {
            let is_third = method == Method::GET && gets.fetch_add(1, Ordering::Relaxed) == 2;
            if is_third { deed(peer) } else { Deed::Serve }
        });
        let target = folder.join("wrong");
        fs::write(&target, b"what was there before").unwrap();
        let address = server.endpoint();
        let command = command(who, "down", address.trim_start_matches("http://"), &target, 1 << 20);
        let mut command = match command {
            Ok(command) => command,
            Err(why) => return why,
        };
        let output = command.output().unwrap();
        let found = fs::read(&target).unwrap_or_default();
        let is_whole = [0, 1].iter().any(|version| found == content(*version));
        match (output.status.success(), is_whole) {
            (true, true) => "the right bytes".to_owned(),
            (true, false) => format!("**success with {}**", damage(&found)),
            (false, _) if found == b"what was there before" => "error; the target as it was".to_owned(),
            (false, _) if found.is_empty() => "error; the target is gone or empty".to_owned(),
            (false, true) => "error; the right bytes in the target".to_owned(),
            (false, _) => "error; damaged bytes in the target".to_owned(),
        }
    }
}

fn damage(found: &[u8]) -> String {
    let len = content(0).len();
    if found.len() != len {
        return format!("{} of {len} bytes", found.len());
    }
    let equal = |version| content(version).iter().zip(found).filter(|(one, other)| one == other).count();
    match [0, 1].map(equal) {
        [old, new] if old + new == len => format!("{old} bytes of the old object and {new} of the new one"),
        [old, _] => format!("{} wrong bytes", len - old),
    }
}

/// The object as it was, and as it is after; no byte is the same in both.
fn content(version: u8) -> Bytes {
    let turned = if version == 0 { 0 } else { 0xff };
    let bytes: Vec<u8> = (0..8_u32 << 20).map(|at| (at / 251 + at) as u8 ^ turned).collect();
    bytes.into()
}
