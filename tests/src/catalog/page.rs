//! The page about all operations.

use core::fmt::Write as _;

use oss_proto::ops;

use super::Entry;
use super::emulated::is_emulated;

/// The page: for each operation whether it is here, emulated, or not yet.
pub fn page(entries: &[Entry]) -> String {
    let states: Vec<State> = entries.iter().map(State::of).collect();
    let count = |wanted: fn(&State) -> bool| states.iter().filter(|state| wanted(state)).count();
    let mut page = String::from(HEAD);
    let _ = writeln!(
        page,
        "Of {} operations {} are here and {} are emulated.",
        entries.len(),
        count(|state| state.is_here),
        count(|state| state.is_emulated),
    );
    let mut family = "";
    for (entry, state) in entries.iter().zip(&states) {
        if entry.family != family {
            family = &entry.family;
            let _ = write!(page, "\n## {family}\n\n| operation | request | state |\n| --- | --- | --- |\n");
        }
        let _ = writeln!(page, "| {} | `{}` | {} |", entry.name, line(entry), state.words());
    }
    page
}

struct State {
    is_here: bool,
    is_emulated: bool,
}

impl State {
    fn of(entry: &Entry) -> Self {
        let is_here = entry.product == "core" && ops::ALL.iter().any(|spec| spec.name == entry.name);
        Self { is_here, is_emulated: is_emulated(entry) }
    }

    fn words(&self) -> &'static str {
        match (self.is_here, self.is_emulated) {
            (true, true) => "here, emulated",
            (true, false) => "here",
            (false, true) => "emulated",
            (false, false) => "not yet",
        }
    }
}

/// `GET /?acl`, `PUT /{key}?symlink`.
fn line(entry: &Entry) -> String {
    let mut line = format!("{} /", entry.method);
    line.push_str(if entry.scope == "BK" { "{key}" } else { &entry.path });
    for (i, (name, value)) in entry.fixed.iter().enumerate() {
        line.push(if i == 0 { '?' } else { '&' });
        line.push_str(name);
        if !value.is_empty() {
            line.push('=');
            line.push_str(value);
        }
    }
    line
}

const HEAD: &str = "\
# Operations

<!-- Written by `cargo xtask catalog`; do not edit. -->

Every operation of the vendor's API, by family. **Here**: the client has a table of it, with every parameter
and every field that the official SDKs know. **Emulated**: the emulator does it; what it does not do it
answers with `NotImplemented`. What is not here yet can be sent with `Raw`.

";
