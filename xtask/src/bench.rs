//! `cargo xtask bench`: every benchmark of the workspace, and their figures as one table.
//!
//! A figure is a ratio to a floor of the same run wherever there is a floor, for a ratio holds on a busy
//! machine and on another one. Times are shown beside their bars and never decide anything: what must not
//! grow unseen is counted in `cargo xtask instructions` and by the tests in `tests/alloc`.

use crate::rivals::rivals;
use crate::run::{Failure, Outcome, Workspace, output};

pub(crate) fn bench(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let benches = benches(workspace)?;
    if let Some(unknown) = arguments.iter().find(|name| !benches.iter().any(|(_, bench)| bench == *name)) {
        let known: Vec<&str> = benches.iter().map(|(_, bench)| bench.as_str()).collect();
        return Err(Failure(format!("no bench {unknown}; there are {}", known.join(", "))));
    }
    let mut figures = Vec::new();
    for (package, bench) in &benches {
        if !arguments.is_empty() && !arguments.contains(bench) {
            continue;
        }
        println!("-- {package}: {bench}");
        let mut command = workspace.cargo(&["bench", "--quiet", "-p", package, "--bench", bench]);
        if bench == "transfer" {
            // What its bars were set for: the checksum is most of what a transfer does itself.
            command.args(["--features", "crc-fast"]);
        }
        command.args(["--", "--noplot"]);
        let text = output(command)?;
        print!("{text}");
        figures.extend(Figure::all(&text));
    }
    if arguments.is_empty() {
        println!("-- oss-alloc");
        let command = ["test", "--quiet", "-p", "oss-alloc", "--tests", "--", "--nocapture"];
        figures.extend(Figure::all(&output(workspace.cargo(&command))?));
    }
    println!("\n{}", table(&figures));
    if arguments.is_empty() {
        println!("-- rivals");
        if let Outcome::Skipped(why) = rivals(workspace, &[])? {
            println!("skipped: {why}");
        }
    }
    let missing: Vec<&str> = BARS.iter().map(|bar| bar.0).filter(|name| !has(&figures, name)).collect();
    if arguments.is_empty() && !missing.is_empty() {
        return Err(Failure(format!("not measured: {}", missing.join("; "))));
    }
    Ok(Outcome::Done(format!("{} figures, {} over their bars", figures.len(), over(&figures))))
}

/// Package and name of every bench: the sections `[[bench]]` of the manifests.
fn benches(workspace: &Workspace) -> Result<Vec<(String, String)>, Failure> {
    let crates = std::fs::read_dir(workspace.root().join("crates"))
        .map_err(|error| Failure(format!("cannot read crates: {error}")))?;
    let mut folders: Vec<_> = crates.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.retain(|folder| folder.is_dir());
    folders.push("tests".into());
    folders.sort();
    let mut benches = Vec::new();
    for folder in folders {
        let manifest = workspace.read(folder.join("Cargo.toml"))?;
        let mut sections = manifest.split("[[bench]]");
        let package = sections.next().and_then(name).unwrap_or_default();
        benches.extend(sections.filter_map(name).map(|bench| (package.to_owned(), bench.to_owned())));
    }
    Ok(benches)
}

/// The first `name = "..."` of a section.
fn name(section: &str) -> Option<&str> {
    section.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
}

/// A number that a bench or a test printed.
#[derive(Debug, PartialEq)]
struct Figure {
    name: String,
    value: f64,
    unit: String,
}

impl Figure {
    /// All figures in what a program printed, of two forms: `figure: <name> = <number> <unit>`, and
    /// criterion's line of a measurement that is a ratio already, with the name before it or above it.
    fn all(text: &str) -> Vec<Self> {
        let mut figures = Vec::new();
        let mut above = "";
        for line in text.lines() {
            figures.extend(Self::printed(line).or_else(|| Self::measured(above, line)));
            above = line;
        }
        figures
    }

    fn printed(line: &str) -> Option<Self> {
        // A test harness may have begun the line with a dot.
        let (name, rest) = line.split_once("figure: ")?.1.rsplit_once(" = ")?;
        let (value, unit) = rest.split_once(' ')?;
        Some(Self { name: name.into(), value: value.parse().ok()?, unit: unit.into() })
    }

    fn measured(above: &str, line: &str) -> Option<Self> {
        let (name, rest) = line.split_once("time:")?;
        let name = if name.trim().is_empty() { above } else { name };
        let mut estimates = rest.trim().strip_prefix('[')?.strip_suffix(']')?.split(FLOOR);
        let value = estimates.nth(1)?.trim().parse().ok()?;
        Some(Self { name: name.trim().into(), value, unit: FLOOR.into() })
    }
}

/// The figures with a bar in the order of the bars, then the others.
fn table(figures: &[Figure]) -> String {
    let mut text = format!("{:<44} {:>9} {:<20} bar\n", "figure", "", "");
    for (name, bar) in BARS {
        for figure in figures.iter().filter(|figure| figure.name == *name) {
            let word = if figure.value > *bar { "  OVER" } else { "" };
            text.push_str(&format!("{} {bar}{word}\n", row(figure)));
        }
    }
    for figure in figures.iter().filter(|figure| !BARS.iter().any(|(name, _)| figure.name == *name)) {
        text.push_str(&format!("{} -\n", row(figure)));
    }
    text
}

fn row(figure: &Figure) -> String {
    format!("{:<44} {:>9.3} {:<20}", figure.name, figure.value, figure.unit)
}

fn has(figures: &[Figure], name: &str) -> bool {
    figures.iter().any(|figure| figure.name == name)
}

fn over(figures: &[Figure]) -> usize {
    let bar = |figure: &&Figure| BARS.iter().any(|(name, bar)| figure.name == *name && figure.value > *bar);
    figures.iter().filter(bar).count()
}

/// The unit of criterion's measurements of a ratio; a time has another one and is no figure.
const FLOOR: &str = "x the floor";
/// What each figure should be at most, in the unit it is printed with.
const BARS: &[(&str, f64)] = &[
    ("put_object/headers", 1.5),
    ("put_object/headers, cold key", 5.0),
    ("put_object/query", 1.5),
    ("list_objects_v2/headers", 1.5),
    ("list_objects_v2/headers, cold key", 5.0),
    ("list_objects_v2/query", 1.5),
    ("put_object/compose", 3.0),
    ("list_objects_v2/compose", 3.0),
    ("put_object/headers, allocations", 0.0),
    ("put_object/query, allocations", 0.0),
    ("list_objects_v2/headers, allocations", 0.0),
    ("list_objects_v2/query, allocations", 0.0),
    ("put_object/compose, allocations", 12.0),
    ("list_objects_v2/compose, allocations", 12.0),
    ("crc64 64 KiB", 1.03),
    ("crc64 1 MiB", 1.03),
    ("combine, the costliest length", 3.0),
    ("combine 10,000 parts of one length", 2.0),
    ("4 KiB GET", 1.2),
    ("4 KiB PUT", 1.2),
    ("64 MiB GET, no CRC", 1.05),
    ("64 MiB GET", 1.2),
    ("64 MiB PUT", 1.15),
    ("4 KiB GET, allocations", 32.0),
    ("4 KiB PUT, allocations", 32.0),
    ("transfer up, time, canned", 1.11),
    ("transfer up, CPU, canned", 1.25),
    ("transfer down, time, canned", 1.11),
    ("transfer down, CPU, canned", 1.25),
    ("list page, owned and typed", 2.4),
    ("list page of 1,000 objects, allocations", 5_100.0),
    ("list page of 1,000 objects, most memory", 3.0),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(name: &str, value: f64, unit: &str) -> Figure {
        Figure { name: name.into(), value, unit: unit.into() }
    }

    #[test]
    fn figures_are_read_from_what_is_printed() {
        let text = "Benchmarking a/b: Analyzing\n\
                    a/b  time:   [1.1 x the floor 1.2 x the floor 1.3 x the floor]\n\
                    a/long name\n      time:   [4.1 x the floor 4.2 x the floor 4.3 x the floor]\n\
                    plain/time  time:   [3.1 µs 3.2 µs 3.3 µs]\n\
                    ..figure: d = e = 0.500 us\nfigure: broken = x us\nfigure: broken\n";
        let expected =
            [figure("a/b", 1.2, FLOOR), figure("a/long name", 4.2, FLOOR), figure("d = e", 0.5, "us")];
        assert_eq!(Figure::all(text), expected);
    }

    #[test]
    fn the_table_has_the_bars_first_and_marks_what_is_over() {
        let figures = [
            figure("another", 7.0, "us"),
            figure("crc64 1 MiB", 1.5, "x crc64fast"),
            figure("put_object/query", 1.25, FLOOR),
        ];
        let text = table(&figures);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].starts_with("put_object/query") && lines[1].ends_with(" 1.5"), "{text}");
        assert!(lines[2].starts_with("crc64 1 MiB") && lines[2].ends_with(" 1.03  OVER"), "{text}");
        assert!(lines[3].starts_with("another") && lines[3].ends_with(" -"), "{text}");
        assert_eq!((lines.len(), over(&figures)), (4, 1));
    }

    #[test]
    fn the_benches_are_found_in_the_manifests() {
        let benches = benches(&Workspace::find().unwrap()).unwrap();
        assert!(benches.contains(&("oss-sign".into(), "sign".into())), "{benches:?}");
        assert!(benches.contains(&("oss-sim".into(), "read_list".into())), "{benches:?}");
    }
}
