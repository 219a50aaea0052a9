//! Which crate may depend on which: the table in `ARCHITECTURE.md` against what cargo says.

/// The table between `<!-- dag -->` and `<!-- /dag -->`, and the packages banned below the drivers.
#[derive(Debug)]
pub(crate) struct Dag {
    pub(crate) rows: Vec<Row>,
    /// What no crate below the drivers pulls in, even indirectly.
    pub(crate) never: Vec<String>,
}

/// One crate of the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) layer: Layer,
    /// It promises to need no allocator either.
    pub(crate) no_alloc: bool,
    pub(crate) allowed: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Layer {
    /// `no_std`, no IO.
    Leaf,
    /// No IO.
    Core,
    /// IO lives here.
    Edge,
    /// Unpublished: tests and tools.
    Tool,
}

impl Layer {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "leaf" => Self::Leaf,
            "core" => Self::Core,
            "edge" => Self::Edge,
            "tool" => Self::Tool,
            _ => return None,
        })
    }

    /// Whether it must do without clocks, sockets, files, the environment, threads and chance.
    pub(crate) fn is_pure(self) -> bool {
        matches!(self, Self::Leaf | Self::Core)
    }
}

impl Dag {
    pub(crate) fn parse(page: &str) -> Result<Self, String> {
        let mut rows = Vec::new();
        for line in between(page, "<!-- dag -->", "<!-- /dag -->")?.lines() {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, name, layer, std, allowed, ..] = cells[..] else { continue };
            let [name] = &quoted(name)[..] else { continue };
            let layer = Layer::read(layer)
                .ok_or_else(|| format!("{name}: layer `{layer}` is none of leaf, core, edge, tool"))?;
            let no_alloc = std.contains("no alloc");
            rows.push(Row { name: name.clone(), layer, no_alloc, allowed: quoted(allowed) });
        }
        let never = quoted(between(page, "<!-- never -->", "<!-- /never -->")?);
        if rows.is_empty() || never.is_empty() {
            return Err("the table or the list of bans is empty".into());
        }
        Ok(Self { rows, never })
    }

    fn is_ours(&self, package: &str) -> bool {
        self.rows.iter().any(|row| row.name == package)
    }

    /// The table and the workspace name the same crates.
    pub(crate) fn check_names(&self, packages: &[String]) -> Vec<String> {
        let missing = packages.iter().filter(|package| !self.is_ours(package));
        let stale = self.rows.iter().filter(|row| !packages.contains(&row.name));
        missing
            .map(|package| format!("{package} has no row in the table"))
            .chain(stale.map(|row| format!("the table names {}, which is no crate here", row.name)))
            .collect()
    }

    /// What the crate depends on directly is in its row.
    pub(crate) fn check_direct(&self, row: &Row, run_time: &[String], with_tests: &[String]) -> Vec<String> {
        let unlisted = run_time.iter().filter(|package| !row.allowed.contains(package));
        let mut found: Vec<String> = unlisted
            .map(|package| format!("{} depends on {package}; its row does not allow that", row.name))
            .collect();
        // A test that reaches for a neighbour ties the crates together all the same.
        let tests = with_tests.iter().filter(|package| {
            let tied = row.layer.is_pure() && self.is_ours(package);
            tied && !row.allowed.contains(package) && !run_time.contains(package)
        });
        found.extend(tests.map(|package| {
            format!("the tests of {} depend on {package}; such a test belongs into tests/", row.name)
        }));
        found
    }

    /// A crate without IO pulls in nothing that does IO.
    pub(crate) fn check_all(&self, row: &Row, all: &[String]) -> Vec<String> {
        if !row.layer.is_pure() {
            return Vec::new();
        }
        let banned = all.iter().filter(|package| self.never.contains(package));
        banned.map(|package| format!("{} pulls in {package}, if only indirectly", row.name)).collect()
    }
}

/// The names that `cargo tree --prefix none` printed, without the first, which is the crate itself.
pub(crate) fn tree_names(printed: &str) -> Vec<String> {
    let lines = printed.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('['));
    let mut names: Vec<String> =
        lines.skip(1).filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect();
    names.sort();
    names.dedup();
    names
}

fn between<'a>(page: &'a str, open: &str, close: &str) -> Result<&'a str, String> {
    let missing = || format!("ARCHITECTURE.md has no {open} … {close}");
    let (_, rest) = page.split_once(open).ok_or_else(missing)?;
    Ok(rest.split_once(close).ok_or_else(missing)?.0)
}

/// The words in backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "
<!-- dag -->
| crate | layer | std | may depend on |
| --- | --- | --- | --- |
| `oss-a` | leaf | no_std, no alloc | nothing |
| `oss-b` | leaf | no_std | `oss-a`, `bytes` (for cheap slices) |
| `oss-c` | edge | std | `oss-b`, `tokio` |
<!-- /dag -->
<!-- never --> `tokio`, `rand` <!-- /never -->
";

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn row<'a>(dag: &'a Dag, name: &str) -> &'a Row {
        dag.rows.iter().find(|row| row.name == name).unwrap()
    }

    #[test]
    fn the_table_is_read() {
        let dag = Dag::parse(PAGE).unwrap();
        assert_eq!(dag.rows.len(), 3);
        assert_eq!(dag.never, ["tokio", "rand"]);
        let b = row(&dag, "oss-b");
        assert_eq!(b.allowed, ["oss-a", "bytes"]);
        assert_eq!((b.layer, b.no_alloc), (Layer::Leaf, false));
        assert!(row(&dag, "oss-a").no_alloc && row(&dag, "oss-a").allowed.is_empty());
    }

    #[test]
    fn a_page_without_table_is_an_error() {
        for (text, with) in [("<!-- dag -->", "x"), ("<!-- /never -->", "x"), ("| leaf |", "| leave |")] {
            assert!(Dag::parse(&PAGE.replace(text, with)).is_err(), "{text}");
        }
        assert!(Dag::parse("<!-- dag --><!-- /dag --><!-- never --><!-- /never -->").is_err());
    }

    #[test]
    fn an_unknown_crate_and_a_stale_row_are_found() {
        let dag = Dag::parse(PAGE).unwrap();
        assert_eq!(dag.check_names(&strings(&["oss-a", "oss-b", "oss-c"])), Vec::<String>::new());
        let found = dag.check_names(&strings(&["oss-a", "oss-b", "oss-d"]));
        assert_eq!(found, ["oss-d has no row in the table", "the table names oss-c, which is no crate here"]);
    }

    #[test]
    fn a_forbidden_edge_is_found() {
        let dag = Dag::parse(PAGE).unwrap();
        let check = |name: &str, run_time: &[&str], tests: &[&str]| {
            dag.check_direct(row(&dag, name), &strings(run_time), &strings(tests))
        };
        assert_eq!(check("oss-b", &["bytes", "oss-a"], &["proptest"]), Vec::<String>::new());
        assert_eq!(check("oss-a", &["bytes"], &[]), ["oss-a depends on bytes; its row does not allow that"]);
        assert_eq!(check("oss-a", &["oss-b"], &["oss-b"]).len(), 1);
        let found = check("oss-a", &[], &["oss-b", "proptest"]);
        assert_eq!(found, ["the tests of oss-a depend on oss-b; such a test belongs into tests/"]);
        assert_eq!(check("oss-c", &["tokio"], &["oss-a"]), Vec::<String>::new());
    }

    #[test]
    fn io_below_the_drivers_is_found_at_any_depth() {
        let dag = Dag::parse(PAGE).unwrap();
        let all = strings(&["bytes", "rand"]);
        assert_eq!(dag.check_all(row(&dag, "oss-b"), &all), ["oss-b pulls in rand, if only indirectly"]);
        assert_eq!(dag.check_all(row(&dag, "oss-c"), &all), Vec::<String>::new());
    }

    #[test]
    fn names_are_read_from_a_tree() {
        let printed =
            "oss-b v0.1.0 (/x)\noss-a v0.1.0 (/y)\nbytes v1.0.0 (*)\n\n[dev-dependencies]\nbytes v1\n";
        assert_eq!(tree_names(printed), ["bytes", "oss-a"]);
        assert_eq!(tree_names("oss-b v0.1.0\n"), Vec::<String>::new());
    }
}
