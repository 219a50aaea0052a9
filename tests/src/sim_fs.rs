//! A simulated file system that can crash: what was not written through to the disk is lost, torn or kept.
//!
//! It promises as little as POSIX does. `fsync` of a file keeps its bytes and its length, but not its name;
//! `fsync` of the directory keeps its names. What was done since may be there after a crash or not, each
//! write and each name for itself, in any combination, and of a write any beginning. Only a rename is one
//! thing: a name leads to the one file or to the other.

use alloc::collections::{BTreeMap, BTreeSet};

/// One directory, its files, and the moment at which the power goes.
#[derive(Clone, Debug, Default)]
pub struct SimFs {
    files: BTreeMap<u64, Content>,
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    pending: Vec<Change>,
    locks: BTreeSet<String>,
    next: u64,
    steps: u64,
    /// The power goes before this step.
    crash_at: Option<u64>,
    fault: Option<(u64, Fault)>,
    chance: u64,
}

/// What a step ends with when it does not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a test matches all of it")]
pub enum Fault {
    /// The power is gone. Nothing more happens before [`SimFs::restart`].
    Crash,
    /// There is no such name.
    Missing,
    /// There is such a name, or such a lock.
    Taken,
    /// The disk is full.
    Full,
    /// The disk has failed (`EIO`).
    Broken,
    /// Only a beginning was written.
    Short,
}

#[derive(Clone, Debug, Default)]
struct Content {
    durable: Vec<u8>,
    now: Vec<u8>,
    pending: Vec<Write>,
}

#[derive(Clone, Debug)]
enum Write {
    At(usize, Vec<u8>),
    Cut(usize),
}

#[derive(Clone, Debug)]
enum Change {
    Link(String, u64),
    Unlink(String),
}

/// An open file: it stays this file whatever becomes of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle(u64);

impl SimFs {
    /// An empty directory; `seed` decides what a crash leaves.
    pub fn new(seed: u64) -> Self {
        Self { chance: seed, ..Self::default() }
    }

    /// The power goes before the step of this number, counted from here.
    pub fn crash_before(&mut self, step: u64) {
        self.crash_at = Some(self.steps.saturating_add(step));
    }

    /// The step of this number, counted from here, fails like this.
    pub fn fail_at(&mut self, step: u64, fault: Fault) {
        self.fault = Some((self.steps.saturating_add(step), fault));
    }

    /// How many steps were made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The power is back: what was lost is lost, and nobody holds a lock.
    pub fn restart(&mut self) {
        for change in core::mem::take(&mut self.pending) {
            if self.flip() {
                apply(&mut self.durable_names, &change);
            }
        }
        self.names = self.durable_names.clone();
        let mut files = core::mem::take(&mut self.files);
        for content in files.values_mut() {
            for write in core::mem::take(&mut content.pending) {
                match self.chance() % 3 {
                    0 => {}
                    1 => write.apply(&mut content.durable),
                    _ => write.torn(self.chance()).apply(&mut content.durable),
                }
            }
            content.now = content.durable.clone();
        }
        self.files = files;
        self.locks.clear();
        self.crash_at = None;
        self.fault = None;
    }

    /// The process is gone, and the system lives: nothing is lost but its locks.
    pub fn kill(&mut self) {
        self.locks.clear();
        self.crash_at = None;
        self.fault = None;
    }

    /// What the name leads to, without a step.
    pub fn content(&self, name: &str) -> Option<&[u8]> {
        Some(&self.files.get(self.names.get(name)?)?.now)
    }

    /// Puts a file there that was there all along.
    pub fn plant(&mut self, name: &str, content: &[u8]) {
        let id = self.fresh();
        let content = Content { durable: content.into(), now: content.into(), pending: Vec::new() };
        self.files.insert(id, content);
        self.names.insert(name.into(), id);
        self.durable_names.insert(name.into(), id);
    }

    /// Changes what a file holds behind everybody's back.
    pub fn damage(&mut self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(content) = self.names.get(name).and_then(|id| self.files.get_mut(id)) {
            change(&mut content.now);
            content.durable.clone_from(&content.now);
        }
    }

    /// The names that there are, without a step.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// Makes a file that was not there.
    pub fn create(&mut self, name: &str) -> Result<Handle, Fault> {
        self.step()?;
        if self.names.contains_key(name) {
            return Err(Fault::Taken);
        }
        let id = self.fresh();
        self.files.insert(id, Content::default());
        self.change(Change::Link(name.into(), id));
        Ok(Handle(id))
    }

    /// Opens a file that is there.
    pub fn open(&mut self, name: &str) -> Result<Handle, Fault> {
        self.step()?;
        self.names.get(name).copied().map(Handle).ok_or(Fault::Missing)
    }

    /// Writes at a place; a gap before it is zeros.
    pub fn write_at(&mut self, file: Handle, at: usize, bytes: &[u8]) -> Result<(), Fault> {
        let fault = self.step();
        if let Err(Fault::Short) = fault {
            let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
            self.write(file, Write::At(at, half.into()));
        }
        fault?;
        self.write(file, Write::At(at, bytes.into()));
        Ok(())
    }

    /// Reads at a place, as much as there is.
    pub fn read_at(&mut self, file: Handle, at: usize, len: usize) -> Result<Vec<u8>, Fault> {
        self.step()?;
        let now = self.files.get(&file.0).map_or(&[][..], |content| &content.now);
        let end = at.saturating_add(len).min(now.len());
        Ok(now.get(at..end).unwrap_or_default().into())
    }

    /// How long it is.
    pub fn len(&mut self, file: Handle) -> Result<u64, Fault> {
        self.step()?;
        Ok(self.files.get(&file.0).map_or(0, |content| content.now.len() as u64))
    }

    /// Cuts it.
    pub fn truncate(&mut self, file: Handle, len: usize) -> Result<(), Fault> {
        self.step()?;
        self.write(file, Write::Cut(len));
        Ok(())
    }

    /// `fsync` of a file: its bytes last.
    pub fn sync(&mut self, file: Handle) -> Result<(), Fault> {
        self.step()?;
        if let Some(content) = self.files.get_mut(&file.0) {
            content.durable.clone_from(&content.now);
            content.pending.clear();
        }
        Ok(())
    }

    /// Gives a file another name, in the place of what has it.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), Fault> {
        self.step()?;
        let id = *self.names.get(from).ok_or(Fault::Missing)?;
        self.change(Change::Link(to.into(), id));
        self.change(Change::Unlink(from.into()));
        Ok(())
    }

    /// Removes a name.
    pub fn remove(&mut self, name: &str) -> Result<(), Fault> {
        self.step()?;
        if !self.names.contains_key(name) {
            return Err(Fault::Missing);
        }
        self.change(Change::Unlink(name.into()));
        Ok(())
    }

    /// `fsync` of the directory: its names last.
    pub fn sync_directory(&mut self) -> Result<(), Fault> {
        self.step()?;
        self.durable_names = self.names.clone();
        self.pending.clear();
        Ok(())
    }

    /// Takes a lock.
    pub fn lock(&mut self, name: &str) -> Result<(), Fault> {
        self.step()?;
        if self.locks.insert(name.into()) { Ok(()) } else { Err(Fault::Taken) }
    }

    /// Gives a lock back.
    pub fn unlock(&mut self, name: &str) -> Result<(), Fault> {
        self.step()?;
        self.locks.remove(name);
        Ok(())
    }

    /// Whether anybody has a lock.
    pub fn is_locked(&self) -> bool {
        !self.locks.is_empty()
    }

    fn step(&mut self) -> Result<(), Fault> {
        if self.crash_at.is_some_and(|at| self.steps >= at) {
            return Err(Fault::Crash);
        }
        self.steps += 1;
        match self.fault {
            Some((at, fault)) if at < self.steps => {
                self.fault = None;
                Err(fault)
            }
            _ => Ok(()),
        }
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.names, &change);
        self.pending.push(change);
    }

    fn write(&mut self, file: Handle, write: Write) {
        if let Some(content) = self.files.get_mut(&file.0) {
            write.apply(&mut content.now);
            content.pending.push(write);
        }
    }

    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn flip(&mut self) -> bool {
        self.chance().is_multiple_of(2)
    }

    /// SplitMix64.
    fn chance(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.chance;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Write {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::At(at, bytes) => {
                let end = at.saturating_add(bytes.len());
                if content.len() < end {
                    content.resize(end, 0);
                }
                if let Some(place) = content.get_mut(*at..end) {
                    place.copy_from_slice(bytes);
                }
            }
            Self::Cut(len) => content.truncate(*len),
        }
    }

    /// A beginning of it, or its length with nothing in it: space that was reserved and not filled.
    fn torn(&self, chance: u64) -> Self {
        match self {
            Self::At(at, bytes) if chance.is_multiple_of(4) => Self::At(*at, vec![0; bytes.len()]),
            Self::At(at, bytes) => {
                let len = usize::try_from(chance / 4).unwrap_or(0) % bytes.len().max(1);
                Self::At(*at, bytes.get(..len).unwrap_or_default().into())
            }
            cut @ Self::Cut(_) => cut.clone(),
        }
    }
}

fn apply(names: &mut BTreeMap<String, u64>, change: &Change) {
    match change {
        Change::Link(name, id) => {
            names.insert(name.clone(), *id);
        }
        Change::Unlink(name) => {
            names.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a crash may leave of these steps, over many seeds.
    fn left(steps: impl Fn(&mut SimFs)) -> BTreeSet<Vec<(String, Vec<u8>)>> {
        (0..500)
            .map(|seed| {
                let mut fs = SimFs::new(seed);
                steps(&mut fs);
                fs.restart();
                let names: Vec<String> = fs.names().map(String::from).collect();
                names.into_iter().map(|name| (name.clone(), fs.content(&name).unwrap().to_vec())).collect()
            })
            .collect()
    }

    fn file(name: &str, content: &[u8]) -> Vec<(String, Vec<u8>)> {
        vec![(name.into(), content.into())]
    }

    #[test]
    fn what_was_not_synced_is_lost_torn_or_kept() {
        let left = left(|fs| {
            let file = fs.create("a").unwrap();
            fs.sync_directory().unwrap();
            fs.write_at(file, 0, b"abc").unwrap();
        });
        for content in [&b""[..], b"a", b"ab", b"abc", b"\0\0\0"] {
            assert!(left.contains(&file("a", content)), "{content:?}");
        }
        assert_eq!(left.len(), 5);
    }

    #[test]
    fn a_name_is_lost_before_its_directory_is_synced_and_kept_after() {
        let write = |fs: &mut SimFs| {
            let file = fs.create("new").unwrap();
            fs.write_at(file, 0, b"new").unwrap();
            fs.sync(file).unwrap();
            fs.sync_directory().unwrap();
            fs.rename("new", "name").unwrap();
        };
        let before = left(|fs| {
            fs.plant("name", b"old");
            write(fs);
        });
        assert!(before.iter().all(|left| left.iter().all(|(name, content)| name == "new" || content != b"")));
        assert!(before.contains(&file("name", b"new")));
        assert!(before.iter().any(|left| left.contains(&("name".into(), b"old".to_vec()))));
        let after = left(|fs| {
            fs.plant("name", b"old");
            write(fs);
            fs.sync_directory().unwrap();
        });
        assert_eq!(after, BTreeSet::from([file("name", b"new")]));
    }

    #[test]
    fn a_crash_stops_everything_and_gives_back_locks() {
        let mut fs = SimFs::new(1);
        fs.lock("lock").unwrap();
        assert_eq!(fs.lock("lock"), Err(Fault::Taken));
        fs.crash_before(1);
        fs.create("a").unwrap();
        assert_eq!((fs.create("b"), fs.sync_directory()), (Err(Fault::Crash), Err(Fault::Crash)));
        fs.restart();
        assert!(!fs.is_locked());
        fs.fail_at(1, Fault::Full);
        fs.create("c").unwrap();
        assert_eq!(fs.create("d"), Err(Fault::Full));
        assert!(fs.create("d").is_ok());
    }
}
