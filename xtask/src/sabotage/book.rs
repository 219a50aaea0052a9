//! The planted bugs as text: `tests/sabotage/*.txt`.
//!
//! ```text
//! layer crc                          a check that other bugs switch off
//! in crates/…/fetch.rs               what is replaced, and by what: exactly once in that file
//! <<<<
//! old text
//! ====
//! new text
//! >>>>
//!
//! bug clean-eof                      a planted bug
//! rows f37 i01                       the rows of the reliability plan that it breaks
//! off crc etag                       the layers that are switched off meanwhile
//! test oss-proto each_check_alone f37_an_end_that_comes_early
//! says f37                           what the failure must say, if that matters
//! in crates/…/fetch.rs
//! <<<<
//! …
//! ```

use core::fmt;
use std::path::{Path, PathBuf};

use crate::run::{Failure, Workspace};

/// All that the files say.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) layers: Vec<Layer>,
    pub(super) variants: Vec<Variant>,
}

/// A check that is switched off, so that it does not catch what another one should.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) edits: Vec<Edit>,
}

/// A planted bug.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) off: Vec<String>,
    pub(super) test: Test,
    pub(super) says: Option<String>,
    pub(super) edits: Vec<Edit>,
}

/// One replacement.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) file: String,
    pub(super) old: String,
    pub(super) new: String,
}

/// The test that must go red.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Test {
    pub(super) target: Target,
    /// With the modules that it is in.
    pub(super) name: String,
}

/// What is built to run a test.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    pub(super) package: String,
    /// A file in `tests/`, or `lib`.
    pub(super) file: String,
}

impl Book {
    /// Reads `tests/sabotage/*.txt`.
    pub(super) fn read(workspace: &Workspace) -> Result<Self, Failure> {
        let mut book = Self::default();
        for path in files_below(&workspace.root().join(FOLDER))? {
            let shown = path.strip_prefix(workspace.root()).unwrap_or(&path).display().to_string();
            book.parse(&workspace.read(&path)?, &shown)?;
        }
        let mut names: Vec<&str> = book.variants.iter().map(|variant| &*variant.name).collect();
        names.extend(book.layers.iter().map(|layer| &*layer.name));
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Failure(format!("two entries are called {}", pair[0]))),
            None => Ok(book),
        }
    }

    fn parse(&mut self, text: &str, file: &str) -> Result<(), Failure> {
        let mut lines = text.lines().enumerate();
        let mut is_layer = false;
        while let Some((at, line)) = lines.next() {
            let wrong = |problem: &str| Failure(format!("{file}:{}: {problem}: {line}", at + 1));
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "" | "#" => {}
                "layer" => {
                    is_layer = true;
                    self.layers.push(Layer { name: rest.into(), edits: Vec::new() });
                }
                "bug" => {
                    is_layer = false;
                    self.variants.push(Variant::named(rest));
                }
                "in" => {
                    let edit =
                        Edit::parse(rest, &mut lines).ok_or_else(|| wrong("no replacement follows"))?;
                    self.last_edits(is_layer).ok_or_else(|| wrong("nothing to replace for"))?.push(edit);
                }
                _ => {
                    let variant = self.variants.last_mut().ok_or_else(|| wrong("no bug above"))?;
                    variant.tell(word, rest).ok_or_else(|| wrong("not understood"))?;
                }
            }
        }
        Ok(())
    }

    /// Of what was opened last.
    fn last_edits(&mut self, is_layer: bool) -> Option<&mut Vec<Edit>> {
        if is_layer {
            return self.layers.last_mut().map(|layer| &mut layer.edits);
        }
        self.variants.last_mut().map(|variant| &mut variant.edits)
    }

    /// What a variant replaces: the layers first, then the bug itself unless it is left out.
    pub(super) fn edits<'b>(
        &'b self,
        variant: &'b Variant,
        with_bug: bool,
    ) -> Result<Vec<&'b Edit>, Failure> {
        let mut edits = self.layers_off(&variant.off)?;
        edits.extend(variant.edits.iter().filter(|_| with_bug));
        Ok(edits)
    }

    /// What switches these layers off.
    pub(super) fn layers_off(&self, off: &[String]) -> Result<Vec<&Edit>, Failure> {
        let mut edits = Vec::new();
        for name in off {
            let layer = self.layers.iter().find(|layer| layer.name == *name);
            edits.extend(&layer.ok_or_else(|| Failure(format!("there is no layer {name}")))?.edits);
        }
        Ok(edits)
    }
}

impl Variant {
    fn named(name: &str) -> Self {
        let (test, edits) = (Test::default(), Vec::new());
        Self { name: name.into(), off: Vec::new(), test, says: None, edits }
    }

    fn tell(&mut self, word: &str, rest: &str) -> Option<()> {
        let mut words = rest.split(' ').map(str::to_owned);
        match word {
            "rows" => {}
            "off" => self.off = words.collect(),
            "says" => self.says = Some(rest.to_owned()),
            "test" => {
                let target = Target { package: words.next()?, file: words.next()? };
                self.test = Test { target, name: words.next()? };
            }
            _ => return None,
        }
        Some(())
    }
}

impl Edit {
    fn parse<'t>(file: &str, lines: &mut impl Iterator<Item = (usize, &'t str)>) -> Option<Self> {
        let mut block = |end: &str| -> Option<String> {
            let mut block = Vec::new();
            loop {
                match lines.next()?.1 {
                    line if line == end => return Some(block.join("\n")),
                    line => block.push(line),
                }
            }
        };
        block("<<<<").filter(String::is_empty)?;
        Some(Self { file: file.into(), old: block("====")?, new: block(">>>>")? })
    }
}

impl Test {
    /// Whether the package has a function of that name where the test should be.
    pub(super) fn exists(&self, workspace: &Workspace) -> Result<bool, Failure> {
        let folder = workspace.root().join(self.target.folder());
        let files = match self.target.file.as_str() {
            "lib" => files_below(&folder.join("src"))?,
            // A test of several files is a folder.
            file if folder.join("tests").join(file).is_dir() => {
                files_below(&folder.join("tests").join(file))?
            }
            file => vec![folder.join("tests").join(file).with_extension("rs")],
        };
        let function = format!("fn {}(", self.name.rsplit("::").next().unwrap_or_default());
        for file in files {
            if workspace.read(&file)?.contains(&function) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.target.package, self.target.file, self.name)
    }
}

impl Target {
    /// Where the package is.
    pub(super) fn folder(&self) -> PathBuf {
        match self.package.as_str() {
            "oss-sim" => "tests".into(),
            "oss-alloc" => "tests/alloc".into(),
            package => Path::new("crates").join(package),
        }
    }
}

/// Every file in a folder and those below it, sorted.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .map_err(|error| Failure(format!("cannot list {}: {error}", folder.display())))?;
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files)
}

const FOLDER: &str = "tests/sabotage";

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Words.\n\nlayer crc\nin a.rs\n<<<<\nold\n====\nnew\n>>>>\n\n\
                        bug eof\nrows f37\noff crc\ntest oss-proto lib a::b\nsays f37 here\n\
                        in b.rs\n<<<<\nif x {\n    y\n====\n>>>>\n";

    fn parsed(text: &str) -> Result<Book, Failure> {
        let mut book = Book::default();
        book.parse(text, "a.txt").map(|()| book)
    }

    #[test]
    fn bugs_and_layers_are_read() {
        let book = parsed(TEXT).unwrap();
        let variant = &book.variants[0];
        assert_eq!((&*variant.name, &variant.off[..]), ("eof", &["crc".to_owned()][..]));
        assert_eq!(variant.test.to_string(), "oss-proto lib a::b");
        assert_eq!(variant.says.as_deref(), Some("f37 here"));
        let edits = book.edits(variant, true).unwrap();
        let shown: Vec<_> = edits.iter().map(|edit| (&*edit.file, &*edit.old, &*edit.new)).collect();
        assert_eq!(shown, [("a.rs", "old", "new"), ("b.rs", "if x {\n    y", "")]);
        assert_eq!(book.edits(variant, false).unwrap().len(), 1);
        assert!(book.layers_off(&["none".into()]).is_err());
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_line() {
        for (text, line) in [
            ("off crc", "a.txt:1: no bug above"),
            ("bug a\nnonsense", "a.txt:2: not understood"),
            ("bug a\ntest oss-proto lib", "a.txt:2: not understood"),
            ("in a.rs\n<<<<\na\n====\nb\n>>>>", "a.txt:1: nothing to replace for"),
            ("bug a\nin a.rs\n<<<<\na\n====\nb", "a.txt:2: no replacement follows"),
        ] {
            let error = parsed(text).unwrap_err().to_string();
            assert!(error.starts_with(line), "{error}");
        }
    }

    #[test]
    fn a_test_is_looked_for_where_it_should_be() {
        let workspace = Workspace::find().unwrap();
        let test = |file: &str, name: &str| Test {
            target: Target { package: "oss-proto".into(), file: file.into() },
            name: name.into(),
        };
        assert_eq!(test("lib", "xml::tests::b44_a_doctype_is_refused").exists(&workspace), Ok(true));
        assert_eq!(test("calls", "f50_the_body_of_an_error_has_five_seconds").exists(&workspace), Ok(true));
        assert_eq!(test("calls", "b44_a_doctype_is_refused").exists(&workspace), Ok(false));
        assert!(test("nowhere", "b44_a_doctype_is_refused").exists(&workspace).is_err());
    }
}
