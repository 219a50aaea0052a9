//! Keys as names of files: only those that stay inside of a directory.

use core::fmt;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The path of the file that an object of this key is kept in, inside of a directory.
///
/// The key's segments become directories. A key that could lead anywhere else, or that another system reads
/// as something else than a name, is refused, whatever system this is: so what works here works there. A
/// parent that exists and is a symbolic link is refused as well. Nothing is created and nothing is followed.
///
/// This looks once. Who may change the directory meanwhile can put a link there later, so keep the directory
/// to yourself; [`Inside`] looks again each time, and tells keys apart that one file system may not.
///
/// ```
/// use std::path::Path;
/// use oss_hyper::transfer::{UnsafeKey, join_inside};
///
/// assert_eq!(join_inside("in", "photos/duck.jpg")?, Path::new("in").join("photos").join("duck.jpg"));
/// assert_eq!(join_inside("in", "../secret").unwrap_err(), UnsafeKey::Dots);
/// # Ok::<(), UnsafeKey>(())
/// ```
///
/// # Errors
/// What about the key is not safe. Download it to a path that you choose yourself then.
pub fn join_inside(dir: impl AsRef<Path>, key: impl AsRef<str>) -> Result<PathBuf, UnsafeKey> {
    let mut path = dir.as_ref().to_path_buf();
    let mut names = key.as_ref().split('/').peekable();
    check(key.as_ref())?;
    while let Some(name) = names.next() {
        path.push(name);
        let is_parent = names.peek().is_some();
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink() && is_parent) {
            return Err(UnsafeKey::Link { path });
        }
    }
    Ok(path)
}

/// A directory that takes files of many keys, each under a name of its own.
///
/// Keys that differ by the case of their letters alone are one file on many systems: the second one is
/// refused.
#[derive(Debug)]
pub struct Inside {
    root: PathBuf,
    taken: HashMap<String, String>,
}

impl Inside {
    /// This directory, which is there.
    ///
    /// # Errors
    /// When it is not there or is no directory.
    pub fn new(dir: impl AsRef<Path>) -> io::Result<Self> {
        let root = fs::canonicalize(dir)?;
        if !root.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "the path names no directory"));
        }
        Ok(Self { root, taken: HashMap::new() })
    }

    /// The path for this key, as [`join_inside`] gives it, with the directories that lead to it made.
    ///
    /// # Errors
    /// When the key is not safe, when it collides with one that was joined before, or when a directory cannot
    /// be made.
    pub fn join(&mut self, key: impl AsRef<str>) -> Result<PathBuf, UnsafeKey> {
        let key = key.as_ref();
        let path = join_inside(&self.root, key)?;
        // A name is a directory or a file, never both: the parents of a key are taken as well.
        let folded = fold(key);
        for (end, _) in folded.match_indices('/').chain([(folded.len(), "")]) {
            let name = folded.get(..end).unwrap_or(&folded);
            let is_parent = end < folded.len();
            let exact = if is_parent { prefix_of(key, &folded, name) } else { key };
            match self.taken.get(name) {
                Some(other) if is_parent && other.ends_with('/') && other.trim_end_matches('/') == exact => {}
                Some(other) if !is_parent && other == key => {}
                Some(other) => return Err(UnsafeKey::Collides { with: other.clone() }),
                None => {}
            }
        }
        let parent = path.parent().unwrap_or(&self.root);
        let mut made = self.root.clone();
        for name in parent.strip_prefix(&self.root).unwrap_or_else(|_| Path::new("")) {
            made.push(name);
            self.make(&made)?;
        }
        for (end, _) in folded.match_indices('/') {
            let name = folded.get(..end).unwrap_or(&folded);
            self.taken.insert(name.into(), format!("{}/", prefix_of(key, &folded, name)));
        }
        self.taken.insert(folded.clone(), key.into());
        Ok(path)
    }

    /// Makes one directory, and makes sure that it is one, and is where it seems to be.
    fn make(&self, dir: &Path) -> Result<(), UnsafeKey> {
        let failed = |error: io::Error| UnsafeKey::Directory { path: dir.into(), kind: error.kind() };
        match fs::create_dir(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        let found = fs::symlink_metadata(dir).map_err(failed)?;
        if found.is_symlink() {
            return Err(UnsafeKey::Link { path: dir.into() });
        }
        if !found.is_dir() {
            return Err(failed(io::ErrorKind::NotADirectory.into()));
        }
        let real = fs::canonicalize(dir).map_err(failed)?;
        if real.starts_with(&self.root) { Ok(()) } else { Err(UnsafeKey::Link { path: dir.into() }) }
    }
}

/// What file systems that do not tell upper from lower case may take a name for: letter by letter, so that
/// the two small sigmas are one, as they are to them.
fn fold(key: &str) -> String {
    key.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// As much of the key as was folded to this.
fn prefix_of<'a>(key: &'a str, folded: &str, name: &str) -> &'a str {
    // Folding may change the length, but not the number of segments.
    let segments = folded.get(..name.len()).unwrap_or(folded).matches('/').count();
    let end = key.match_indices('/').nth(segments).map_or(key.len(), |(at, _)| at);
    key.get(..end).unwrap_or(key)
}

/// Why a key is not taken for the name of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnsafeKey {
    /// It begins or ends with a slash, has two in a row, or is empty.
    Empty,
    /// A segment is `.` or `..`.
    Dots,
    /// It has a character that is a separator, a drive, a stream or a pattern somewhere, or no character of a
    /// text at all.
    Character {
        /// Which one.
        character: char,
    },
    /// A segment names a device on Windows: `CON`, `nul.txt`.
    Device {
        /// The segment.
        name: String,
    },
    /// A segment ends with a dot or a space, which Windows cuts off.
    Ending {
        /// The segment.
        name: String,
    },
    /// A segment has more than 255 bytes, which few file systems take.
    Long {
        /// How many it has.
        bytes: usize,
    },
    /// A parent is a symbolic link.
    Link {
        /// Where it is.
        path: PathBuf,
    },
    /// It differs from a key that was joined before by the case of its letters alone, or one of the two is a
    /// directory to the other.
    Collides {
        /// That key; one that ends with a slash is a directory.
        with: String,
    },
    /// A directory on the way cannot be made.
    Directory {
        /// Which one.
        path: PathBuf,
        /// Why.
        kind: io::ErrorKind,
    },
}

impl fmt::Display for UnsafeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the key is no name for a file: ")?;
        match self {
            Self::Empty => f.write_str("a segment between slashes is empty")?,
            Self::Dots => f.write_str("a segment is `.` or `..`")?,
            Self::Character { character } => write!(f, "it has {character:?}")?,
            Self::Device { name } => write!(f, "{name:?} names a device on Windows")?,
            Self::Ending { name } => write!(f, "{name:?} ends with a dot or a space")?,
            Self::Long { bytes } => write!(f, "a segment has {bytes} bytes; at most 255 will do")?,
            Self::Link { path } => write!(f, "{} is a symbolic link", path.display())?,
            Self::Collides { with } => write!(f, "it collides with {with:?}")?,
            Self::Directory { path, kind } => write!(f, "no directory {}: {kind}", path.display())?,
        }
        f.write_str("; choose a path yourself")
    }
}

impl core::error::Error for UnsafeKey {}

fn check(key: &str) -> Result<(), UnsafeKey> {
    for name in key.split('/') {
        if name.is_empty() {
            return Err(UnsafeKey::Empty);
        }
        if name == "." || name == ".." {
            return Err(UnsafeKey::Dots);
        }
        let is_bad = |character: &char| {
            character.is_control() || FORBIDDEN.contains(character) || is_invisible(*character)
        };
        if let Some(character) = name.chars().find(is_bad) {
            return Err(UnsafeKey::Character { character });
        }
        if name.ends_with(['.', ' ']) {
            return Err(UnsafeKey::Ending { name: name.into() });
        }
        let stem = name.split('.').next().unwrap_or(name).trim_end_matches(' ');
        if is_device(stem) {
            return Err(UnsafeKey::Device { name: name.into() });
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(UnsafeKey::Long { bytes: name.len() });
        }
    }
    Ok(())
}

fn is_device(stem: &str) -> bool {
    if DEVICES.iter().any(|device| stem.eq_ignore_ascii_case(device)) {
        return true;
    }
    let mut characters = stem.chars();
    let port: String = characters.by_ref().take(3).collect();
    let number = characters.next();
    let is_port = port.eq_ignore_ascii_case("COM") || port.eq_ignore_ascii_case("LPT");
    // The superscripts are digits to Windows.
    is_port
        && characters.next().is_none()
        && number.is_some_and(|digit| digit.is_ascii_digit() || "¹²³".contains(digit))
}

/// Characters that change how a name is read and cannot be seen.
fn is_invisible(character: char) -> bool {
    let is_mark = matches!(character, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{feff}');
    is_mark || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
}

const FORBIDDEN: [char; 8] = ['\\', ':', '*', '?', '"', '<', '>', '|'];
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
const NAME_BYTES_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(key: &str) -> UnsafeKey {
        join_inside("in", key).expect_err(key)
    }

    #[test]
    fn b22_names_that_lead_elsewhere_are_refused() {
        for key in ["", "/", "/etc/passwd", "a//b", "a/", "//srv/x"] {
            assert_eq!(is_refused(key), UnsafeKey::Empty, "{key:?}");
        }
        for key in ["..", ".", "../x", "a/../b", "a/..", "./a", "a/./b"] {
            assert_eq!(is_refused(key), UnsafeKey::Dots, "{key:?}");
        }
        for (key, character) in [
            ("C:/windows", ':'),
            ("c:x", ':'),
            ("a:stream", ':'),
            (r"\\srv\x", '\\'),
            (r"a\..\b", '\\'),
            (r"..\x", '\\'),
            ("a\0b", '\0'),
            ("a\nb", '\n'),
            ("a\u{7f}", '\u{7f}'),
            ("a\u{202e}gpj.exe", '\u{202e}'),
            ("a\u{61c}b", '\u{61c}'),
            ("a\u{2028}b", '\u{2028}'),
            ("a\u{2029}b", '\u{2029}'),
            ("a*", '*'),
            ("a?", '?'),
            ("a|b", '|'),
        ] {
            assert_eq!(is_refused(key), UnsafeKey::Character { character }, "{key:?}");
        }
        for name in ["CON", "con", "NUL.txt", "aux.tar.gz", "COM1", "lpt9.x", "COM¹", "CONIN$", "nul .txt"] {
            assert_eq!(is_refused(&format!("a/{name}")), UnsafeKey::Device { name: name.into() }, "{name:?}");
        }
        for name in ["a.", "a ", "...", "a..", "CON."] {
            assert_eq!(is_refused(&format!("{name}/b")), UnsafeKey::Ending { name: name.into() }, "{name:?}");
        }
        assert_eq!(is_refused(&"a".repeat(256)), UnsafeKey::Long { bytes: 256 });
        assert_eq!(
            is_refused("a/../b").to_string(),
            "the key is no name for a file: a segment is `.` or `..`; choose a path yourself"
        );
    }

    #[test]
    fn b22_plain_names_stay_inside() {
        for key in
            ["a", "a/b/c.txt", "..a", ".hidden", "con1", "COM10", "目录/文件", "a b", "%2e%2e", "~", "-rf"]
        {
            let path = join_inside("in", key).unwrap();
            assert_eq!(path, key.split('/').fold(PathBuf::from("in"), |path, name| path.join(name)));
        }
        assert!(join_inside("in", "a".repeat(255)).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn b22_a_parent_that_is_a_link_is_refused_and_names_that_fold_collide() {
        let root = std::env::temp_dir().join(format!("oss-hyper-inside-{}", std::process::id()));
        let _gone = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("in")).unwrap();
        std::os::unix::fs::symlink(&root, root.join("in/link")).unwrap();
        let link = UnsafeKey::Link { path: root.join("in/link") };
        assert_eq!(join_inside(root.join("in"), "link/secret"), Err(link.clone()));
        // The last name may be one: what is opened there is never followed.
        assert!(join_inside(root.join("in"), "link").is_ok());
        let mut inside = Inside::new(root.join("in")).unwrap();
        assert!(matches!(inside.join("link/secret"), Err(UnsafeKey::Link { .. })));
        assert!(inside.join("Photos/Duck.jpg").is_ok() && root.join("in/Photos").is_dir());
        assert!(inside.join("Photos/Duck.jpg").is_ok());
        assert!(inside.join("Photos/Goose.jpg").is_ok());
        for (key, with) in [
            ("Photos/duck.jpg", "Photos/Duck.jpg"),
            ("photos/Swan.jpg", "Photos/"),
            ("photos", "Photos/"),
            ("Photos", "Photos/"),
            ("Photos/Duck.jpg/x", "Photos/Duck.jpg"),
        ] {
            assert_eq!(inside.join(key), Err(UnsafeKey::Collides { with: with.into() }), "{key}");
        }
        fs::write(root.join("in/file"), "").unwrap();
        assert!(matches!(inside.join("file/x"), Err(UnsafeKey::Directory { .. })));
        assert!(Inside::new(root.join("in/file")).is_err());
        fs::remove_dir_all(&root).unwrap();
    }
}
